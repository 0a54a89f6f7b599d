"""The networks: the paper's four as its companion notebook trains them, and the same sizes with our defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from torch import Tensor

from isthmus.engine import Adam, Compute
from isthmus.estimators import AutoEncoder
from isthmus.paper.images import Images
from isthmus.parts.backbones import Dense
from isthmus.parts.codes import Deterministic
from isthmus.parts.likelihoods import Bernoulli, Gaussian


@dataclass(frozen=True)
class Run:
    """One model to fit, with one seed."""

    name: str
    recipe: Literal["paper", "isthmus", "pca"]
    latent: int
    hidden: int = 0
    loss: Literal["mse", "bce"] = "mse"
    output: Literal["sigmoid", "relu"] = "sigmoid"
    epochs: int = 0
    seed: int = 0

    def widths(self, pixels: int) -> list[int]:
        """Return the layer sizes from input to output."""
        inner = [self.latent] if self.recipe == "pca" else [self.hidden, self.latent, self.hidden]
        return [pixels, *inner, pixels]

    @property
    def cost(self) -> float:
        """A rough estimate of the training time, in arbitrary units, so that the longest runs start first."""
        return self.epochs * (2.0 if self.recipe == "paper" else 1.0) * (100 + self.hidden)


def wide_sizes(images: Images) -> tuple[int, int]:
    """Return the hidden units and the code size of the paper's larger network: 128 and 64.

    On images of fewer than 784 pixels both shrink in proportion, so that the network stays undercomplete.
    """
    return (128, 64) if images.pixels >= 784 else (images.pixels // 2, images.pixels // 4)


def planned_runs(images: Images, epochs: int, seeds: Sequence[int], sizes: Sequence[int]) -> list[Run]:
    """Return every run of the reproduction: the paper's networks, ours, PCA, and the sizes of the bottleneck.

    Parameters
    ----------
    images
        The images; their number of pixels limits the sizes.
    epochs
        Epochs per network; the bottleneck runs take a quarter as many.
    seeds
        Each network runs once per seed; the bottleneck runs use the first seed only.
    sizes
        Code sizes of the bottleneck runs.
    """
    hidden, latent = wide_sizes(images)
    runs = []
    for seed in seeds:
        runs += [
            Run("paper-sigmoid-mse", "paper", latent, hidden, "mse", "sigmoid", epochs, seed),
            Run("paper-relu-mse", "paper", latent, hidden, "mse", "relu", epochs, seed),
            Run("paper-sigmoid-bce", "paper", latent, hidden, "bce", "sigmoid", epochs, seed),
            Run("paper-8-4", "paper", 4, 8, "bce", "sigmoid", epochs, seed),
            Run(f"isthmus-{latent}", "isthmus", latent, hidden, epochs=epochs, seed=seed),
            Run("isthmus-4", "isthmus", 4, 8, epochs=epochs, seed=seed),
        ]
    runs += [Run(f"pca-{k}", "pca", k) for k in (latent, 4)]
    few = max(1, epochs // 4)
    for k in (k for k in sizes if k < images.pixels):
        runs.append(Run(f"bottleneck-{k}", "isthmus", k, max(hidden, 2 * k), epochs=few, seed=seeds[0]))
        runs.append(Run(f"bottleneck-pca-{k}", "pca", k))
    return runs


def estimator(run: Run, pixels: int) -> AutoEncoder:
    """Return the estimator of a run.

    The paper's recipe: ReLU hidden layers, a sigmoid on the code, torch's initial weights, batches of 64, Adam at 1e-3
    and a loss that is averaged over the pixels. Our loss is a sum over the pixels (a Gaussian of variance ½ has the
    squared error plus a constant as its loss). For Adam this changes only the size of its epsilon, which is therefore
    multiplied by the number of pixels.
    """
    if run.recipe == "isthmus":
        encoder = Dense((run.hidden,))
        return AutoEncoder(
            run.latent, encoder=encoder, epochs=run.epochs, compute=Compute(threads=1), random_state=run.seed
        )
    squared_error = Gaussian(variance=0.5, activation=run.output)
    return AutoEncoder(
        run.latent,
        (run.hidden,),
        activation="relu",
        code=Deterministic("sigmoid"),
        likelihood=Bernoulli() if run.loss == "bce" else squared_error,
        init="torch",
        scale="global",
        epochs=run.epochs,
        batch_size=64,
        learning_rate=1e-3,
        schedule="constant",
        optimizer=Adam(epsilon=1e-8 * pixels),
        validation=0.0,
        compute=Compute(threads=1, precision="float32"),
        random_state=run.seed,
    )


class DenseLayers(Protocol):
    """A dense encoder or decoder."""

    @property
    def weights(self) -> list[Tensor]:
        """The weights of the linear layers, each (outputs, inputs)."""
        ...


def encoder_weights(model: AutoEncoder) -> Tensor:
    """Return the weights of the first layer of a dense encoder, (units, F)."""
    return cast(DenseLayers, model.network_.encoder).weights[0].detach()


def decoder_weights(model: AutoEncoder) -> Tensor:
    """Return the weights of the last layer of a dense decoder, (F, units)."""
    return cast(DenseLayers, model.network_.decoder).weights[-1].detach()
