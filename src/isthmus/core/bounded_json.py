"""JSON from files that nobody vouches for: its depth, the length of its numbers and its values are bounded."""

import json
import math
import re
from collections import Counter
from typing import NoReturn

from isthmus.core.json_type import Json

DEEPEST = 100
"""Brackets within brackets, at most; models need a quarter of it."""
LONGEST_NUMBER = 40
"""Characters of a number, at most."""
LEAST_VALUES, BYTES_PER_VALUE = 200_000, 32
"""Values that any file may hold, and the bytes of a larger file that allow for one more."""
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
"""A string, a bracket or a comma; what follows a quotation mark that is never closed is one string."""


def most_values(length: int) -> int:
    """Return how many JSON values a file of that many bytes may hold."""
    return LEAST_VALUES + length // BYTES_PER_VALUE


def parsed(text: str, most: int) -> Json:
    """Return the value that a JSON text holds.

    Depth and number of values are looked at before anything is parsed, so that neither the stack nor the memory can be
    exhausted.

    Parameters
    ----------
    text
        Any text.
    most
        Greatest number of values.

    Raises
    ------
    ValueError
        If it is no JSON, if it is nested too deeply, if it has too many values, too long or infinite numbers, one key
        twice, or half a character.

    Examples
    --------
    >>> parsed('{"a": [1, 2.5, null]}', 10)
    {'a': [1, 2.5, None]}
    >>> parsed('{"a": 1, "a": 2}', 10)
    Traceback (most recent call last):
    ...
    ValueError: the key 'a' is there twice
    """
    refuse_size(text, most)
    try:
        value: Json = json.loads(
            text, object_pairs_hook=unique, parse_int=whole, parse_float=finite, parse_constant=no_constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if "\\ud" in text or "\\uD" in text:
        refuse_half_characters(value)
    return value


def refuse_size(text: str, most: int) -> None:
    """Raise a `ValueError` if a JSON text is nested too deeply, or has too many values."""
    opening = text.count("[") + text.count("{")
    if opening <= DEEPEST and opening + text.count(",") <= most:
        return
    depth = values = 0
    for token in TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
        elif first in "]}":
            depth -= 1
        values += first in "[{,"
        if depth > DEEPEST:
            raise ValueError(f"its brackets are nested more than {DEEPEST} deep")
        if values > most:
            raise ValueError(f"it has more than {most:,} values")


def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return pairs as a dictionary; raise a `ValueError` if a key is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:LONGEST_NUMBER]!r} is there twice")
    return found


def whole(digits: str) -> int:
    """Return a whole number; raise a `ValueError` if it has too many digits."""
    refuse_long(digits)
    return int(digits)


def finite(digits: str) -> float:
    """Return a decimal number; raise a `ValueError` if it has too many digits, or is too large."""
    refuse_long(digits)
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits} is too large")
    return number


def refuse_long(digits: str) -> None:
    """Raise a `ValueError` if a number has too many digits."""
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(digits):,} digits")


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not know."""
    raise ValueError(f"{name} is no number of JSON")


def refuse_half_characters(value: Json) -> None:
    """Raise a `ValueError` if a text has half of a pair of surrogates, which no file can hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text has half a character") from None
