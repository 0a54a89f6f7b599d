"""The options by which a command builds a model, and the reading of model files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.ending import UsageError

if TYPE_CHECKING:
    from isthmus import AnomalyDetector, AutoEncoder, Imputer

PANEL = "Model"
"""Under which heading help lists these options."""

ModelPath = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model file that isthmus wrote.", show_default=False)
]
"""The argument of a command that uses a model."""


@dataclass(frozen=True)
class Building:
    """Which model is trained, and how."""

    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An autoencoder of the zoo; see isthmus zoo list.", rich_help_panel=PANEL),
    ] = None
    latent: Annotated[
        str | None,
        typer.Option(
            metavar="K",
            help="Numbers per code; a share of the variance such as 0.9; or auto.  [default: 0.9]",
            rich_help_panel=PANEL,
        ),
    ] = None
    hidden: Annotated[
        str | None,
        typer.Option(metavar="UNITS", help="Units per hidden layer, such as 128,64.", rich_help_panel=PANEL),
    ] = None
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other parameter, such as epochs=50 or penalty.beta=4; may be given several times.",
            rich_help_panel=PANEL,
        ),
    ] = None
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Parameters from a YAML or JSON file; see isthmus info --config.",
            rich_help_panel=PANEL,
        ),
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.", rich_help_panel=PANEL)] = 0
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, ...", rich_help_panel=PANEL)] = "auto"


def load_model(path: Path, *, device: str | None = None) -> "AutoEncoder | AnomalyDetector | Imputer":
    """Return the model in a file."""
    from isthmus import load

    return load(path, compute=device)


def is_model(where: str) -> bool:
    """Whether a word of the command line is a model rather than data: a file with the ending of models."""
    return where.endswith(".isthmus")


def refuse_kind(model: object, needed: type, path: Path, purpose: str) -> None:
    """Raise a `UsageError` if a model is of another kind than a command needs."""
    if not isinstance(model, needed):
        raise UsageError(f"{purpose} needs an {needed.__name__}; {path} holds an {type(model).__name__}")


DataOrModel = Annotated[
    str,
    typer.Argument(metavar="[MODEL] DATA", help="Data; or a model file, then data for it.", show_default=False),
]
"""The first argument of a command that trains a model where none is given."""
Then = Annotated[str | None, typer.Argument(metavar="", help="", show_default=False, hidden=True)]
"""Its second argument."""


def model_and_data(first: str, then: str | None) -> tuple[Path | None, str]:
    """Return the model, if one is given, and the data.

    >>> model_and_data("rows.csv", None), model_and_data("m.isthmus", "rows.csv")
    ((None, 'rows.csv'), (PosixPath('m.isthmus'), 'rows.csv'))

    Raises
    ------
    UsageError
        If there is a model without data, or two data.
    """
    if then is None:
        if is_model(first):
            raise UsageError(f"{first} is a model; give the data after it")
        return None, first
    if not is_model(first):
        raise UsageError(f"of two files the first must be a model, and end in .isthmus; got {first}, {then}")
    return Path(first), then
