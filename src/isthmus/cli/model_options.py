"""The options by which a command builds a model, and the reading of model files."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.ending import UsageError
from isthmus.cli.input import Reading, listed
from isthmus.core.choices import unknown

if TYPE_CHECKING:
    from isthmus import AnomalyDetector, AutoEncoder, Imputer
    from isthmus.estimators.recipe_file import RecipeFile

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
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="The same seed gives the same model.  [default: 0]", rich_help_panel=PANEL),
    ] = None
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu, cuda, ...  [default: the best one]", rich_help_panel=PANEL)
    ] = None

    def estimator(self, kind: str | None = None) -> "AutoEncoder | AnomalyDetector | Imputer":
        """Return the estimator that the options describe, not yet fitted.

        Parameters
        ----------
        kind
            The name of its class; None: that of the recipe, else an autoencoder.

        Raises
        ------
        UsageError
            If there is no such parameter or value; the message names the option, or the line of the recipe.
        """
        from isthmus.estimators.assignments import configured

        given = [*(self.assignments or [])]
        if self.seed is not None:
            given.append(f"random_state={self.seed}")
        if self.device is not None:
            given.append(f"compute={self.device}")
        try:
            return configured(
                self.recipe_file().recipe if self.recipe else None,
                model=kind,
                preset=self.preset,
                latent=self.latent,
                hidden=self.hidden,
                assignments=given,
                seed=0,
            )
        except FileNotFoundError:
            raise
        except ValueError as error:
            raise UsageError(str(error)) from error

    def recipe_file(self) -> "RecipeFile":
        """Return the recipe that is given."""
        from isthmus.estimators.recipe_file import read_recipe

        assert self.recipe is not None
        try:
            return read_recipe(self.recipe)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def reading(self, reading: Reading) -> Reading:
        """Return how data are read: as the options say, and where they say nothing, as the recipe does."""
        if self.recipe is None:
            return reading
        recipe = self.recipe_file()
        known = [entry.name for entry in fields(Reading)]
        own = {}
        for name, value in ((str(key), value) for key, value in recipe.data.items()):
            if name not in known:
                raise UsageError(str(recipe.error(unknown("option", name, known), "data", name)))
            if name != "header" and not isinstance(value, str | list):
                raise UsageError(
                    str(recipe.error(f"{name} must be text or a list of names; got {value!r}", "data", name))
                )
            if getattr(reading, name) is None:
                own[name] = listed(value) if isinstance(value, list) else value
        return replace(reading, **own)  # type: ignore[arg-type]


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
