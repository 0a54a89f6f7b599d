"""`Json`: the type of everything that a JSON file can hold."""

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Numbers, strings, truth values and None, and lists and dictionaries of them."""
