"""What the parts of an autoencoder tell each other: `Code`, `Step`, and `Part`, which holds the hyper-parameters."""

from dataclasses import fields
from typing import Any, NamedTuple, Protocol, Self

from torch import Generator, Tensor, nn
from torch.distributions import Distribution

from isthmus.core.choices import refuse_unknown, unknown


class Code(NamedTuple):
    """What the bottleneck makes of the encoder's output; B rows, K code size."""

    z: Tensor
    """(B, K) what the decoder sees."""
    mean: Tensor
    """(B, K) the noise-free code: what `transform` returns."""
    posterior: Distribution | None = None
    """q(z|x), where the code has one."""


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


def batch_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of `values` (B, ...) over the rows of a batch, weighted by `weight` (B,) if there is one."""
    if weight is None:
        return values.mean(0)
    return (values * weight.view(-1, *[1] * (values.dim() - 1))).sum(0) / weight.sum()


class CodeModule(Protocol):
    """What the network asks of the narrow place."""

    latent: int
    """K."""
    inputs: int
    """How many numbers a row the encoder has to give."""
    activation: str
    """The function through which the encoder's output passes on its way to the code."""

    def __call__(self, h: Tensor) -> Code:
        """(B, inputs) to the code."""
        ...


class LikelihoodModule(Protocol):
    """What the network, the initialisation and the estimator ask of p(x|z); F features, P decoder outputs."""

    outputs: int
    """P."""
    activation: str
    """The function from the first F outputs to the mean."""
    support: tuple[float, float]
    """Least and greatest legal value."""
    density: bool
    """Whether p(x|z) is a density, which changes with the units of x, rather than a probability."""

    def mean(self, theta: Tensor) -> Tensor:
        """(B, P) to the mean of p(x|z), (B, F)."""
        ...

    def nll(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each row, (B,), in nats."""
        ...

    def set_variance(self, mean_squared_error: float) -> None:
        """Take note of the mean squared error over the data, where the variance shall be optimal for them."""
        ...

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the (P - F,) outputs beyond the mean at which each column's variance is the given one, (F,)."""
        ...


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


class Stochastic(nn.Module):
    """A module that draws random numbers from the generator its network was seeded with (`Network.seed`)."""

    generator: Generator | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A generator belongs to a run, not to a model: it is neither copied nor pickled with it.
        return self.__dict__ | {"generator": None}
