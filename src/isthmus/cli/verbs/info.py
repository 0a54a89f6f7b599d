"""`isthmus info`: what is in a model file."""

from typing import Annotated

import typer

from isthmus.cli.model_options import ModelPath
from isthmus.cli.telling import Telling


def info(
    model: ModelPath,
    telling: Telling,
    recipe: Annotated[
        bool, typer.Option("--config", help="Print the parameters as YAML, for --config of isthmus train.")
    ] = False,
) -> None:
    """Show what a model is: its columns, how it was trained, what it won, its parameters.

    Example: isthmus info loans.isthmus --config > run.yaml
    """
    from isthmus.cli.model_options import load_model
    from isthmus.cli.summary import columns_of, described, facts_of
    from isthmus.estimators.recipe import recipe_of
    from isthmus.estimators.recipe_file import recipe_text

    loaded = load_model(model)
    if recipe:
        typer.echo(
            recipe_text(recipe_of(loaded), data=columns_of(loaded), note=f"the parameters of {model.name}"), nl=False
        )
        return
    size = model.stat().st_size
    facts = {**facts_of(loaded), "bytes": size, "recipe": recipe_of(loaded)}
    telling.result(facts, lambda: f"{model}: {size:,} bytes\n{described(loaded)}")
