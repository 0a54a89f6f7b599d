"""The options by which a command writes its result."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pyarrow

STANDARD = "-"
"""The name of standard input and standard output."""

Force = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]


@dataclass(frozen=True)
class Output:
    """Where a table goes."""

    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The result; its ending is its format (.csv, .parquet, .jsonl, .npy, .xlsx); - is standard output.",
        ),
    ]
    force: Force = False

    @property
    def standard(self) -> bool:
        """Whether the result goes to standard output."""
        return self.out == STANDARD

    def refuse(self, *inputs: object) -> None:
        """Raise an `OSError` or `ValueError`, before any work, if the result cannot be written."""
        from isthmus.data.files.destinations import destination

        if self.standard:
            return
        destination(self.out, force=self.force, inputs=files_of(inputs), format=None)

    def write(self, table: "pyarrow.Table | Iterator[pyarrow.Table]", *inputs: object) -> None:
        """Write a table, or its pieces."""
        from isthmus.data.files import write_table

        write_table(table, self.out, force=self.force, inputs=files_of(inputs))


def refuse_output(where: Path, *inputs: object, force: bool) -> None:
    """Raise an `OSError` or `ValueError`, before any work, if a model or a page cannot be written.

    Raises
    ------
    FileExistsError
        If there is a file and it must not be replaced.
    OSError
        If the folder is missing or must not be written, or the path is a folder.
    ValueError
        If the file is one of the inputs.
    """
    from isthmus.data.files.destinations import refuse_inputs, refuse_unwritable

    refuse_unwritable(where)
    refuse_inputs(where, files_of(inputs))
    if where.exists() and not force:
        raise FileExistsError(f"{where} is there already; give another name, or replace it with --force")


def files_of(inputs: Iterable[object]) -> list[str]:
    """Return the inputs that are files: not what is not given, and not standard input."""
    return [str(place) for place in inputs if place is not None and str(place) != STANDARD]
