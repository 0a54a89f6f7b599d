"""The options by which a command reads data."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.ending import UsageError
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    from isthmus import AnomalyDetector, AutoEncoder, Imputer
    from isthmus.data.files import DataFile
    from isthmus.data.schema import TableSchema

    Model = AutoEncoder | AnomalyDetector | Imputer

PANEL = "Reading"
"""Under which heading help lists these options."""
MODEL_ENDING = ".isthmus"


@dataclass(frozen=True)
class Reading:
    """How a file is read, and what its columns are for."""

    ids: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="COLUMNS",
            help="Columns that name the rows: carried through, never used.",
            rich_help_panel=PANEL,
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column of labels: for plots and probes, never trained on.", rich_help_panel=PANEL
        ),
    ] = None
    columns: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Use these columns alone.", rich_help_panel=PANEL)
    ] = None
    exclude: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Leave these columns out.", rich_help_panel=PANEL)
    ] = None
    pivot: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN[,VALUE]",
            help="Make a sparse matrix of a table of pairs, such as user_id,item_id,rating.",
            rich_help_panel=PANEL,
        ),
    ] = None
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHARACTER", help="Between the cells of a text file.", rich_help_panel=PANEL)
    ] = None
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a text file, such as cp1252.", rich_help_panel=PANEL)
    ] = None
    decimal: Annotated[
        str | None, typer.Option(metavar="CHARACTER", help="The decimal sign: . or a comma.", rich_help_panel=PANEL)
    ] = None
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the first line has the names.", rich_help_panel=PANEL),
    ] = None
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input-format",
            metavar="FORMAT",
            help="csv, jsonl, parquet, ... whatever the ending.",
            rich_help_panel=PANEL,
        ),
    ] = None

    def open(self, where: str, telling: Telling, model: "Model | None" = None) -> "DataFile":
        """Return the data at a place, and say what was found by looking.

        Parameters
        ----------
        where
            As `open_file` takes it.
        telling
            Who says it.
        model
            Fitted: its columns are read, whatever others there are, and text stays text that was text in its training.
            None: all columns are read.

        Raises
        ------
        UsageError
            If it is a model.
        OSError, ValueError
            If it cannot be read.
        """
        from isthmus.data.files import open_file

        if where.endswith(MODEL_ENDING):
            raise UsageError(f"{where} is a model, where data are expected; give the model first, then the data")
        schema = None if model is None else schema_of(model)
        known = () if schema is None or self.pivot or schema.names is None else schema.names
        file = open_file(
            where,
            ids=names(self.ids),
            target=self.target,
            columns=names(self.columns) or tuple(map(str, known)) or None,
            exclude=[name for name in names(self.exclude) if name not in known],
            pivot=self.pivot,
            delimiter=self.delimiter,
            encoding=self.encoding,
            decimal=self.decimal,
            header=self.header,
            format=self.input_format,
            schema=schema,
        )
        telling.notes(file.found)
        return file


def schema_of(model: "Model") -> "TableSchema":
    """Return what a fitted model knows of its columns."""
    from isthmus import AnomalyDetector

    fitted = model.fitted_detector() if isinstance(model, AnomalyDetector) else model.fitted_model()
    assert fitted is not None, "model files hold fitted models"
    return fitted.schema


def names(text: str | None) -> tuple[str, ...]:
    """Return the names in a list with commas; one that holds a comma is in quotation marks.

    >>> names("age, income"), names('"size, m",age'), names(None)
    (('age', 'income'), ('size, m', 'age'), ())
    """
    if text is None:
        return ()
    return tuple(name for line in csv.reader([text], skipinitialspace=True) for name in map(str.strip, line) if name)


def listed(found: Iterable[object]) -> str:
    """Undo `names`.

    >>> listed(["size, m", "age"])
    '"size, m",age'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(found)
    return line.getvalue()


DataPath = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="CSV, JSON lines, Excel, Parquet, Arrow, .npy, .npz, .mtx, SQLite, DuckDB; a folder; a named data set; -.",
        show_default=False,
    ),
]
"""The argument of a command that reads data."""
