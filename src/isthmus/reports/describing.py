"""What data and models are, in a few plain sentences and numbers."""

from collections.abc import Iterator

from isthmus.core.registry import snake_case
from isthmus.reports.context import Context
from isthmus.reports.registration import Tile


def sentences(context: Context) -> Iterator[str]:
    """Yield a sentence for each model: what it is, and what it does with a row."""
    columns = len(context.columns)
    row = f"{columns:,} column{'' if columns == 1 else 's'}"
    if context.image_shape is not None:
        row = f"{context.image_shape[0]} × {context.image_shape[1]} pixels"
    model = context.model
    if model is not None:
        size = f"{model.latent} number{'' if model.latent == 1 else 's'}"
        yield (
            f"An autoencoder is a network that writes each row of {row} as {size}, its code, and rebuilds the row from "
            f"them. This one has {model.weights:,} weights{in_parts(context)}."
        )
    if context.detector is not None:
        methods = ", ".join(context.detector.method_)
        yield (
            "An anomaly detector gives each row a score, which is the higher the odder the row is, and says which rows "
            f"do not belong and why. This one scores by: {methods}."
        )
    if context.imputer is not None:
        yield (
            "An imputer fills the missing cells of a table with what the other cells of the row let expect, and leaves "
            "all others as they are."
        )


def in_parts(context: Context) -> str:
    """Return what an autoencoder is made of beyond an encoder and a decoder, in words; "" if that is nothing."""
    assert context.model is not None, "asked for an autoencoder only"
    composition = context.model.composition
    penalties = composition.penalty if isinstance(composition.penalty, list | tuple) else [composition.penalty]
    named = [
        ("code", composition.code),
        ("likelihood", composition.likelihood),
        ("corruption", composition.corruption),
        *[("penalty", one) for one in penalties],
        ("objective", composition.objective),
    ]
    words = [f"{slot} {name_of_part(part)}" for slot, part in named if part is not None]
    return f" ({', '.join(words)})" if words else ""


def name_of_part(part: object) -> str:
    """Return what a part is called: its name, or that of its class in words.

    >>> name_of_part("gaussian"), name_of_part(3.5)
    ('gaussian', 'float')
    """
    return part if isinstance(part, str) else snake_case(type(part).__name__).replace("_", " ")


def first_tiles(context: Context) -> list[Tile]:
    """Return how many rows and columns there are, and the size of the code."""
    rows = "rows" if context.sample.whole else f"rows; {len(context.sample.places):,} drawn at random were looked at"
    tiles = [Tile(f"{context.sample.total:,}", rows)]
    if context.image_shape is None:
        tiles.append(Tile(f"{len(context.columns):,}", "columns"))
    else:
        tiles.append(Tile(" × ".join(map(str, context.image_shape[:2])), "pixels per image"))
    if context.model is not None:
        tiles.append(Tile(f"{context.model.latent:,}", "numbers in the code of each row"))
    return tiles
