"""What the parts of an autoencoder tell each other: `Code`, `Step`, and `Part`, which holds the hyper-parameters."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple, Protocol, Self

from torch import Generator, Tensor, nn
from torch.distributions import Normal

from isthmus.core.choices import refuse_unknown, unknown


class Code(NamedTuple):
    """What the bottleneck makes of the encoder's output; B rows, K code size."""

    z: Tensor
    """(B, K) what the decoder sees."""
    mean: Tensor
    """(B, K) the noise-free code: what `transform` returns."""
    posterior: Normal | None = None
    """q(z|x), where the code has one."""
    terms: Mapping[str, Tensor] = {}
    """What the code itself adds to the objective, {name: (B,)}."""


class Corrupted(NamedTuple):
    """What a corruption makes of a batch; B rows, F features."""

    x: Tensor
    """(B, F) what the encoder shall see."""
    mask: Tensor | None = None
    """(B, F) 1 where an entry was hidden, 0 elsewhere; None where the corruption marks nothing."""
    cells: Tensor | None = None
    """(B, F) how much each entry counts in the score; None where they count alike."""


class Step(NamedTuple):
    """One pass through the network; B rows, F features, K code size, P decoder outputs."""

    x: Tensor
    """(B, F) the clean target."""
    x_in: Tensor
    """(B, F) what the encoder saw."""
    code: Code
    theta: Tensor
    """(B, P) parameters of p(x|z)."""
    weight: Tensor | None = None
    """(B,) sample weights for statistics over the batch; None means equal ones."""
    mask: Tensor | None = None
    """(B, F) 1 where the corruption hid an entry; None where it marks nothing."""
    cells: Tensor | None = None
    """(B, F) how much each entry counts in the score; None where they count alike."""


def batch_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of `values` (B, ...) over the rows of a batch, weighted by `weight` (B,) if there is one."""
    if weight is None:
        return values.mean(0)
    return (values * weight.view(-1, *[1] * (values.dim() - 1))).sum(0) / weight.sum()


class Stochastic(nn.Module):
    """A module that draws random numbers from the generator its network was seeded with (`Network.seed`).

    Where noise is part of the model and not only of its training (a Gaussian code), it is drawn in training and, so
    that the same noise judges every epoch, wherever there is a generator; without one, in use, nothing is drawn.
    """

    generator: Generator | None = None

    @property
    def draws(self) -> bool:
        """Whether noise that is part of the model is to be drawn."""
        return self.training or self.generator is not None

    def __getstate__(self) -> dict[str, Any]:
        # A generator belongs to a run, not to a model: it is neither copied nor pickled with it.
        return self.__dict__ | {"generator": None}


class Prior(Protocol):
    """A distribution p(z) over codes, from which new rows can be drawn."""

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent), of the number type and on the device of `like`."""
        ...


class CodeModule(Stochastic):
    """The narrow place: `forward` maps the encoder's output (B, inputs) to a `Code`.

    In training it also takes the weights of the rows, (B,) or None, for statistics over the batch that it keeps.

    Parameters
    ----------
    latent
        K.
    inputs
        How many numbers a row the encoder has to give; None means K.
    """

    activation: str | None = "identity"
    """The function through which the first K inputs pass on their way to the code; None if it is no function of each
    by itself."""
    reach: float | None = None
    """How far from 0 the inputs shall go at the start; None leaves it to the activation."""
    has_posterior = False
    """Whether its codes have a posterior q(z|x)."""
    warm_up_share = 0.0
    """The share of the training after which `begin` changes nothing any more."""
    made_by = "the code"
    """The name of the part that built it, for messages."""

    def __init__(self, latent: int, inputs: int | None = None) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = latent if inputs is None else inputs

    def rest_bias(self, noise_share: Tensor) -> Tensor:
        """Return the (inputs - K,) inputs beyond the first K at the start.

        `noise_share` (K,) is the variance of the noise over the variance of the data along each coordinate.
        """
        return noise_share[:0]

    def start(self, h: Tensor, generator: Generator) -> None:
        """Take note of the encoder's outputs (n, inputs) for training rows before the first step."""

    def begin(self, progress: float) -> None:
        """Take note of how much of the training is done, in [0, 1]; 1 in use."""

    codewords = 0

    def usage(self, code: Code) -> Tensor | None:
        """Return which units or codewords a batch uses; None if it is not counted."""
        return None

    def indices(self, h: Tensor) -> Tensor:
        """Return which codewords stand for each row."""
        raise NotImplementedError


class CorruptionModule(Stochastic):
    """What is done to a row before it is encoded: `forward` maps rows (B, F) to `Corrupted`.

    In training, and with the same noise wherever epochs are judged: they are compared by the objective that is trained,
    not by how well a clean row passes.
    """

    marks = False
    """Whether the encoder sees the mask beside the values: (B, 2F)."""
    weighs = False
    """Whether some cells count for more than others."""
    removes = False
    """Whether entries become missing (NaN)."""
    feature_group: tuple[int, ...] | None = None
    """(F,) Entries with the same number share their fate; None where each has its own."""


class LikelihoodModule(nn.Module):
    """p(x|z), as the network, the initialisation and the estimator ask for it; F features, P decoder outputs.

    A likelihood of independent columns defines `mean` and `columns`.
    """

    outputs: int
    """P."""
    inputs: int | None = None
    """How many numbers a row it gives an encoder; None means F."""
    feature_group: tuple[int, ...] | None = None
    """(F,) Cells with the same number belong together: a corruption takes all or none; None where each is alone."""
    starts_linear = False
    """Whether training can start at the best linear map from principal components of what the encoder sees."""
    activation: str | None = None
    """The function from the first F outputs to the mean; None if the mean is no function of each by itself."""
    made_by = "the likelihood"
    """The name of the part that built it, for messages."""
    support: tuple[float, float] = (-math.inf, math.inf)
    """Least and greatest legal value."""
    whole = False
    """Whether only whole numbers are legal."""
    density = False
    """Whether p(x|z) is a density, which changes with the units of x, rather than a probability."""

    def mean(self, theta: Tensor) -> Tensor:
        """(B, P) to the mean of p(x|z), (B, F)."""
        raise NotImplementedError

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each cell, (B, F), in nats."""
        raise NotImplementedError

    def nll(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each row, (B,), in nats.

        `weight` (B,) weighs the rows in statistics over the batch, `cells` (B, F) each cell in the sum.
        """
        columns = self.columns(x, theta, weight)
        return (columns if cells is None else columns * cells).sum(1)

    def loss(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return what training makes small in the place of `nll`, (B,), where that would favour some columns."""
        return self.nll(x, theta, weight, cells)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return how much worse each cell is explained than it could be, (B, F), at least 0; at scale 1."""
        return self.columns(x, theta)

    def encoder_input(self, x: Tensor) -> Tensor:
        """Bring rows (B, F) to numbers that suit an encoder (counts to their logarithms)."""
        return x

    def filled(self, x: Tensor) -> Tensor:
        """Put something neutral in the place of cells that are missing (NaN), where the likelihood allows for them."""
        return x

    def look(self, x: Tensor, weight: Tensor | None = None) -> None:
        """Take note of training rows (n, F), and their weights, before weights are written."""

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F) from p(x|z)."""
        raise NotImplementedError

    def set_variance(self, mean_squared_error: float) -> None:
        """Take note of the mean squared error over the data, where the variance shall be optimal for them."""

    def set_spread(self, errors: Tensor) -> None:
        """Take note of the mean squared error of each column, (F,)."""
        self.set_variance(float(errors.mean()))

    def deviance_ratios(self, x: Tensor, theta: Tensor) -> Tensor | None:
        """Return which share of each row stays unexplained, (B,), if training goes by that; None if it does not."""
        return None

    def set_deviance_ratio(self, share: float) -> None:
        """Take note of the share that stays unexplained over the data."""

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the (P - F,) outputs beyond the mean at which each column's variance is the given one, (F,)."""
        return residual_variances[:0]

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) outputs at which every column has the given mean (F,) and, about, variance (F,)."""
        raise NotImplementedError


class PenaltyModule(Stochastic):
    """What is asked of the code besides a good reconstruction: `forward` maps (step, network) to (B,) or {name: (B,)}.

    A statistic over the batch is returned once for each of its rows.
    """

    prior: Prior | None = None
    """The distribution that the codes are drawn towards, if there is one."""
    warm_up_share = 0.0
    """The share of the training after which `begin` changes nothing any more."""

    def check(self, network: Any) -> None:
        """Raise a `ValueError` that names both parts and the mend if the penalty does not suit the network's others."""

    def begin(self, progress: float) -> None:
        """Take note of how much of the training is done, in [0, 1]; 1 where the objective is judged in full."""


class ObjectiveModule(PenaltyModule):
    """What stands in the place of -log p(x|z): `forward` maps (step, network) to {name: (B,)}."""


class Part:
    """Hyper-parameters of one slot of an autoencoder; weights appear in `build`, when the sizes are known.

    Every part is a dataclass of hyper-parameters only. It takes part in scikit-learn's nested parameters:
    ``set_params(penalty__weight=0.1)``, `clone`, grid search.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the hyper-parameters by name; with `deep`, those of nested parts as ``name__nested`` too."""
        params = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Part):
                    params |= {f"{name}__{key}": nested for key, nested in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set hyper-parameters by name, nested ones as ``name__nested``; an unknown name is a `ValueError`."""
        known = self.get_params(deep=False)
        # Parts before what is inside them, so that a new part gets the values that were meant for it.
        for name, value in sorted(params.items(), key=lambda item: item[0].count("__")):
            own, _, nested = name.partition("__")
            refuse_unknown(f"parameter of {type(self).__name__}", own, known)
            if nested:
                part = getattr(self, own)
                if not isinstance(part, Part):
                    raise ValueError(unknown(f"parameter of {type(self).__name__}", name, known))
                part.set_params(**{nested: value})
            else:
                setattr(self, own, value)
        return self
