"""Penalties on the code and on the weights, one value per row."""

from dataclasses import dataclass

from torch import Tensor

from isthmus.core.checks import fraction, no_negative_number, positive_number
from isthmus.core.contract import Part, Step, batch_mean
from isthmus.core.divergences import precise
from isthmus.core.network import Network, PenaltyModule
from isthmus.core.registry import register


class AbsoluteCode(PenaltyModule):
    """λ‖z‖₁; see `L1`."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty of each row, (B,), in nats."""
        return self.weight * step.code.mean.abs().sum(1)


@register("penalty")
@dataclass
class L1(Part):
    """λ‖z‖₁: most entries of a code are near zero (a Laplace prior on the code, up to a constant).

    Unless the weights of the decoder are tied or normalised, the code can shrink while they grow: `decoder="tied"`
    prevents that.

    Parameters
    ----------
    weight : float
        λ, in nats per unit of the code, at least 0.

    Raises
    ------
    ValueError
        In `fit`, if the weight is negative.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> sparse = AutoEncoder(latent=100, penalty=L1(0.1), decoder="tied")
    """

    weight: float = 0.01

    def build(self, features: int, latent: int) -> AbsoluteCode:
        """Return the module from (step, network) to (B,)."""
        return AbsoluteCode(no_negative_number("weight of L1", self.weight))


class MeanActivation(PenaltyModule):
    """λ Σⱼ KL(ρ ‖ ρ̂ⱼ); see `KLSparsity`."""

    def __init__(self, weight: float, rate: float) -> None:
        super().__init__()
        self.weight = weight
        self.rate = rate

    def check(self, network: Network) -> None:
        """Refuse a code whose values are not in (0, 1)."""
        if network.code.activation != "sigmoid":
            raise ValueError(
                f"the penalty KLSparsity needs a code in (0, 1), and the code of {network.code.made_by} is not: take "
                "code=Deterministic('sigmoid'), or the penalty L1"
            )

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty, (B,), in nats; the same for every row."""
        # In half precision 1 - 1e-6 is 1, and its logarithm infinite.
        mean = batch_mean(precise(step.code.mean), step.weight).clamp(1e-6, 1 - 1e-6)
        rate = self.rate
        divergence = rate * (rate / mean).log() + (1 - rate) * ((1 - rate) / (1 - mean)).log()
        return self.weight * divergence.sum().expand(len(step.x))


@register("penalty")
@dataclass
class KLSparsity(Part):
    """λ Σⱼ KL(ρ ‖ ρ̂ⱼ) = λ Σⱼ ρ log(ρ/ρ̂ⱼ) + (1 - ρ) log((1 - ρ)/(1 - ρ̂ⱼ)), ρ̂ⱼ the batch's mean of unit j (Ng 2011).

    Each unit of a sigmoid code is then active for a share ρ of the rows.

    Parameters
    ----------
    weight : float
        λ, in nats, at least 0.
    rate : float
        ρ, in (0, 1).

    Raises
    ------
    ValueError
        In `fit`, if the code is not the output of a sigmoid, or if a parameter is out of its range.

    Examples
    --------
    >>> from isthmus import AutoEncoder, Deterministic
    >>> sparse = AutoEncoder(latent=100, code=Deterministic("sigmoid"), penalty=KLSparsity())
    """

    weight: float = 3.0
    rate: float = 0.05

    def build(self, features: int, latent: int) -> MeanActivation:
        """Return the module from (step, network) to (B,)."""
        rate = fraction("rate of KLSparsity", positive_number("rate of KLSparsity", self.rate))
        return MeanActivation(no_negative_number("weight of KLSparsity", self.weight), rate)


class SquaredWeights(PenaltyModule):
    """λ Σ W²; see `WeightDecay`."""

    def __init__(self, weight: float, layers: tuple[str, ...]) -> None:
        super().__init__()
        self.weight = weight
        self.layers = layers

    def check(self, network: Network) -> None:
        """Refuse a prefix with which no layer's name begins."""
        names = matrices(network)
        for prefix in self.layers:
            if not any(name.startswith(prefix) for name in names):
                raise ValueError(
                    f"no layer of the network begins with {prefix!r}, as WeightDecay asks: {', '.join(names)}"
                )

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty, (B,), in nats; the same for every row."""
        weights = [w for name, w in matrices(network).items() if name.startswith(self.layers or ("",))]
        total = sum((w.square().sum() for w in weights), step.theta.new_zeros(()))
        return self.weight * total.expand(len(step.x))


def matrices(network: Network) -> dict[str, Tensor]:
    """Return the weight matrices and kernels of the encoder and the decoder, by name."""
    named = network.named_parameters()
    return {name: w for name, w in named if w.dim() > 1 and name.startswith(("encoder", "decoder"))}


@register("penalty")
@dataclass
class WeightDecay(Part):
    """λ Σ W² over the weight matrices of some layers, without biases (Krogh and Hertz 1992).

    Parameters
    ----------
    weight : float
        λ, in nats, at least 0.
    layers : tuple of str
        Prefixes of the names of the layers, such as ``("encoder",)`` or ``("decoder.linears.0",)``; () means all.

    Raises
    ------
    ValueError
        In `fit`, if no layer's name begins with one of the prefixes, or if the weight is negative.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> decayed = AutoEncoder(latent=8, penalty=WeightDecay(1e-3, layers=("decoder",)))
    """

    weight: float = 1e-4
    layers: tuple[str, ...] = ()

    def build(self, features: int, latent: int) -> SquaredWeights:
        """Return the module from (step, network) to (B,)."""
        layers: object = self.layers
        if not isinstance(layers, tuple | list) or not all(isinstance(name, str) for name in layers):
            raise ValueError(f"layers of WeightDecay must be a tuple of prefixes of names; got {self.layers!r}")
        return SquaredWeights(no_negative_number("weight of WeightDecay", self.weight), tuple(layers))
