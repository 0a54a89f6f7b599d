"""`isthmus zoo`: the autoencoders of the literature."""

from typing import Annotated

import typer

from isthmus.cli.ending import UsageError
from isthmus.cli.grouping import with_groups
from isthmus.cli.telling import Telling

zoo = typer.Typer(help="The autoencoders of the literature: list and show.", no_args_is_help=True)


def list_presets(telling: Telling) -> None:
    """List the autoencoders of the zoo by family.

    Example: isthmus zoo list
    """
    from isthmus import zoo as presets
    from isthmus.zoo.preset import FAMILIES

    facts = {family: [preset.__name__ for preset in found] for family, found in FAMILIES.items()}
    telling.result({"families": facts}, lambda: str(presets.describe()))


def show(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], telling: Telling) -> None:
    """Show what an autoencoder of the zoo is: its formula, its parameters, its source.

    Example: isthmus zoo show variational
    """
    import inspect

    from isthmus.core.choices import unknown
    from isthmus.zoo.preset import FAMILIES

    found = {preset.__name__: preset for presets in FAMILIES.values() for preset in presets}
    if name not in found:
        raise UsageError(unknown("preset", name, sorted(found)))
    preset = found[name]
    signature, text = f"{name}{inspect.signature(preset)}", inspect.getdoc(preset) or ""
    telling.result({"name": name, "signature": signature, "text": text}, f"{signature}\n\n{text}")


zoo.command("list")(with_groups(list_presets))
zoo.command("show")(with_groups(show))
