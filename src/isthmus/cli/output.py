"""The options by which a command writes its result."""

from collections.abc import Iterable
from dataclasses import dataclass
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
        refuse_output(self.out, *inputs, force=self.force)

    def write(self, table: "pyarrow.Table | Iterable[pyarrow.Table]") -> None:
        """Write a table, or its pieces."""
        from isthmus.data.files import write_table

        write_table(table, self.out, force=self.force)


def refuse_output(where: object, *inputs: object, force: bool) -> None:
    """Raise an `OSError` or `ValueError` if an output is one of the inputs, exists, or can be written by nobody."""
    from isthmus.data.files import refuse_output as refused

    refused(str(where), force=force, inputs=[str(place) for place in inputs if place is not None])
