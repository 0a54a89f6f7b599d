"""`isthmus data`: the named data sets."""

from typing import Annotated

import typer

from isthmus.cli.ending import UsageError
from isthmus.cli.grouping import with_groups
from isthmus.cli.telling import Telling

data = typer.Typer(help="The named data sets: list and fetch.", no_args_is_help=True)


def list_sets(telling: Telling) -> None:
    """List the data sets that every command takes by name.

    Example: isthmus data list
    """
    from isthmus.core.text_tables import text_table
    from isthmus.data.named import DESCRIPTIONS

    telling.result(
        {"data_sets": DESCRIPTIONS},
        lambda: text_table([("name", "what it holds"), *DESCRIPTIONS.items()]),
    )


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A named data set.", show_default=False)],
    telling: Telling,
    source: Annotated[
        str | None, typer.Option(metavar="PLACE", help="auto, folder, cache, download or embedded.")
    ] = None,
) -> None:
    """Find a named data set, or download it into the cache with its checksum, and say where it came from.

    Example: isthmus data fetch mnist
    """
    from isthmus import load_dataset
    from isthmus.core.choices import unknown
    from isthmus.data.named import NAMES

    if name not in NAMES:
        raise UsageError(unknown("data set", name, NAMES))
    found = load_dataset(name, source)
    facts = {
        "name": found.name,
        "rows": len(found.X),
        "test_rows": len(found.X_test),
        "columns": found.X.shape[1],
        "source": found.source,
    }
    telling.result(facts, repr(found))


data.command("list")(with_groups(list_sets))
data.command("fetch")(with_groups(fetch))
