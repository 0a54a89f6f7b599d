"""`isthmus reproduce`: the paper "AutoEncoders", every figure and claim, in one report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Data(StrEnum):
    """The image data sets on which the reproduction can run."""

    AUTO = "auto"
    MNIST = "mnist"
    MNIST_5K = "mnist-5k"
    DIGITS = "digits"


def reproduce(
    data: Annotated[
        Data,
        typer.Option(help="Images to train on. auto: MNIST, or the 5,000 images of mnist-5k if it is unavailable."),
    ] = Data.AUTO,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs per network; a quarter as many for the bottleneck sizes.  [default: 20]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first run.")] = 42,
    seeds: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Train each network with N seeds and show mean ± standard deviation."),
    ] = 1,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Use 4,000 images and 3 epochs, for a first look within half a minute. No claim is judged."
        ),
    ] = False,
    extended: Annotated[
        bool,
        typer.Option(
            "--extended",
            help='Add the paper\'s "to go further": denoising, contractive, sparse, variational and adversarial '
            "autoencoders, and PCA compared with a linear autoencoder.",
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for report.html, the figures and results.json.")] = Path(
        "reproduction"
    ),
) -> None:
    """Reproduce the paper "AutoEncoders": every network, figure and claim, in one report."""
    # The import is here so that --help does not wait for torch.
    from isthmus.paper import reproduce as run

    run(
        out,
        data=data.value,
        epochs=epochs,
        seeds=range(seed, seed + seeds),
        quick=quick,
        extended=extended,
        log=typer.echo,
    )
