"""`isthmus reproduce`: the paper "AutoEncoders", every figure and number, in one report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Data(StrEnum):
    """Data sets of images on which the reproduction runs."""

    AUTO = "auto"
    MNIST = "mnist"
    MNIST_5K = "mnist-5k"
    DIGITS = "digits"


def reproduce(
    data: Annotated[
        Data, typer.Option(help="Images to train on. auto: MNIST, or the 5,000 images of mnist-5k without a network.")
    ] = Data.AUTO,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of each network; the bottleneck's sizes a quarter.  [default: 20]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the (first) run.")] = 42,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Run every network with N seeds; show mean ± standard deviation.")
    ] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="4,000 images, 3 epochs: a look within half a minute.")
    ] = False,
    extended: Annotated[
        bool,
        typer.Option(
            "--extended",
            help='Add the paper\'s "to go further": denoising, contractive, sparse, variational and adversarial '
            "autoencoders, and PCA against a linear one.",
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for report.html, the figures and results.json.")] = Path(
        "reproduction"
    ),
) -> None:
    """Run the paper "AutoEncoders" again: every network, figure and claim, in one report."""
    # Imported here, so that --help does not wait for torch.
    from isthmus.paper import reproduce as run

    run(
        out,
        data=data.value,
        epochs=epochs,
        seeds=range(seed, seed + seeds),
        quick=quick,
        extended=extended,
        tell=lambda line: typer.echo(line),
    )
