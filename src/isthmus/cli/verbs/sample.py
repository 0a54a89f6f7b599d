"""`isthmus sample`: new rows."""

from typing import Annotated

import typer

from isthmus.cli.ending import UsageError
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling


def sample(
    model: ModelPath,
    output: Output,
    telling: Telling,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of rows.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same rows.")] = 0,
    noise: Annotated[
        bool, typer.Option("--noise/--no-noise", help="Draw each cell, or take its mean given the code.")
    ] = True,
) -> None:
    """Write new rows that the model draws; it must have a prior, as the variational autoencoders have.

    Example: isthmus train loans.csv --preset variational -o v.isthmus; isthmus sample v.isthmus -n 500 -o new.csv
    """
    from isthmus import AutoEncoder
    from isthmus.cli.applying import rows_table
    from isthmus.cli.model_options import load_model, refuse_kind
    from isthmus.cli.using import names_of

    output.refuse(model)
    autoencoder = load_model(model)
    refuse_kind(autoencoder, AutoEncoder, model, "sample")
    try:
        rows = autoencoder.sample(n, random_state=seed, noise=noise)
    except AttributeError:
        raise UsageError(
            f"{model} has no prior to draw from; train one that has: isthmus train DATA --preset variational"
        ) from None
    output.write(rows_table(rows, names_of(autoencoder)))
    telling.result({"rows": n, "files": [output.out]}, f"written: {output.out}, {n:,} rows", aside=output.standard)
