"""From parts to a network: names to parts, parts to modules of the right sizes."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.network import Network
from isthmus.parts.adversarial import Adversarial
from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.bounded import ContinuousBernoulli
from isthmus.parts.categories import Categorical
from isthmus.parts.codes import Deterministic, GaussianCode
from isthmus.parts.contraction import Contractive
from isthmus.parts.convolution import Convolutional
from isthmus.parts.corruptions import GaussianNoise, Masking, SaltAndPepper, Swap
from isthmus.parts.counts import Multinomial, NegativeBinomial, Poisson
from isthmus.parts.discrete_codes import FSQ, VectorQuantizer
from isthmus.parts.heavy_tails import Laplace, StudentT
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.matching import MMD, TotalCorrelation
from isthmus.parts.mixed import Mixed
from isthmus.parts.objectives import ImportanceWeighted
from isthmus.parts.ordered_codes import OrderedCode
from isthmus.parts.own_modules import Own
from isthmus.parts.penalties import L1, KLSparsity, WeightDecay
from isthmus.parts.priors import KL
from isthmus.parts.sparse_codes import BatchTopK, LifetimeSparse, TopK

PARTS: dict[str, dict[str, type[Part]]] = {
    "encoder": {"dense": Dense, "linear": Linear, "convolutional": Convolutional},
    "decoder": {"dense": Dense, "linear": Linear, "tied": Tied, "convolutional": Convolutional},
    "code": {
        "deterministic": Deterministic,
        "gaussian": GaussianCode,
        "top_k": TopK,
        "batch_top_k": BatchTopK,
        "lifetime_sparse": LifetimeSparse,
        "vector_quantizer": VectorQuantizer,
        "fsq": FSQ,
        "ordered": OrderedCode,
    },
    "likelihood": {
        "gaussian": Gaussian,
        "bernoulli": Bernoulli,
        "continuous_bernoulli": ContinuousBernoulli,
        "laplace": Laplace,
        "student_t": StudentT,
        "poisson": Poisson,
        "negative_binomial": NegativeBinomial,
        "multinomial": Multinomial,
        "categorical": Categorical,
        "mixed": Mixed,
    },
    "corruption": {
        "gaussian_noise": GaussianNoise,
        "masking": Masking,
        "salt_and_pepper": SaltAndPepper,
        "swap": Swap,
    },
    "penalty": {
        "l1": L1,
        "kl_sparsity": KLSparsity,
        "weight_decay": WeightDecay,
        "contractive": Contractive,
        "kl": KL,
        "mmd": MMD,
        "total_correlation": TotalCorrelation,
        "adversarial": Adversarial,
    },
    "objective": {"importance_weighted": ImportanceWeighted},
}
"""The parts that can stand in each slot, by the name under which a user may ask for them with their defaults."""


def part(slot: str, given: Any) -> Any:
    """Return the part that a user means: the part itself, or the one of that name with its defaults.

    Raises
    ------
    ValueError
        For an unknown name, or a part of another slot.

    A torch module may stand for an encoder or a decoder: `Own`.
    """
    known = PARTS[slot]
    if slot in ("encoder", "decoder") and isinstance(given, nn.Module):
        return Own(given)
    if isinstance(given, str):
        refuse_unknown(slot, given, known)
        return known[given]()
    if not isinstance(given, tuple(known.values())):
        names = ", ".join(sorted(kind.__name__ for kind in known.values()))
        raise ValueError(f"{slot} has to be one of the parts {names}, or its name; got {given!r}")
    return given


def compose(
    features: int,
    latent: int,
    *,
    encoder: Any = "dense",
    decoder: Any = None,
    code: Any = "deterministic",
    likelihood: Any = "gaussian",
    corruption: Any = None,
    penalty: Any = None,
    objective: Any = None,
) -> Network:
    """Build the network of these parts for rows of `features` columns and codes of `latent` numbers.

    `decoder=None` mirrors the encoder; `penalty` is one part or several. Weights are left uninitialised.

    Raises
    ------
    ValueError
        For parts that do not suit each other: both are named, and the mend.

    Examples
    --------
    >>> network = compose(784, 64, encoder=Dense((128,)), likelihood=Bernoulli())
    >>> [tuple(weight.shape) for weight in network.encoder.weights + network.decoder.weights]
    [(128, 784), (64, 128), (128, 64), (784, 128)]
    """
    encoder = part("encoder", encoder)
    if decoder is None and isinstance(encoder, Own):
        raise ValueError("an encoder that is a torch module has no mirror: give a decoder too")
    decoder = encoder if decoder is None else part("decoder", decoder)
    code, likelihood = part("code", code), part("likelihood", likelihood)
    code_module, likelihood_module = code.build(latent), likelihood.build(features)
    code_module.made_by, likelihood_module.made_by = type(code).__name__, type(likelihood).__name__
    corruption_module = None if corruption is None else part("corruption", corruption).build(features)
    seen = likelihood_module.inputs or features
    if corruption_module is not None:
        corruption_module.feature_group = likelihood_module.feature_group
        seen += features if corruption_module.marks else 0
        if corruption_module.removes and likelihood_module.inputs is None:
            raise ValueError(
                f"{type(corruption).__name__}(value=None) makes entries missing, which {type(likelihood).__name__} has "
                "no place for; take value=0.0, or likelihood=Mixed(...)"
            )
    encoder_module = encoder.build_encoder(seen, code_module.inputs)
    penalties = [part("penalty", one) for one in several(penalty)]
    network = Network(
        encoder=encoder_module,
        code=code_module,
        decoder=decoder.build_decoder(latent, likelihood_module.outputs, encoder_module),
        likelihood=likelihood_module,
        corruption=corruption_module,
        penalties={name: one.build(features, latent) for name, one in zip(names_of(penalties), penalties, strict=True)},
        objective=None if objective is None else part("objective", objective).build(features, latent),
    )
    network.check()
    return network


def several(penalty: Any) -> Sequence[Any]:
    """Return none, one or several penalties as a sequence."""
    if penalty is None:
        return ()
    return penalty if isinstance(penalty, list | tuple) else (penalty,)


def names_of(penalties: Sequence[Part]) -> list[str]:
    """Return the names of their columns in the history: "l1", and "l1_2" for a second one of the kind."""
    kinds = [name_of(penalty) for penalty in penalties]
    counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
    return [kind if count == 1 else f"{kind}_{count}" for kind, count in zip(kinds, counts, strict=True)]


def name_of(penalty: Part) -> str:
    """Return the name of a penalty's kind."""
    return next(name for name, kind in PARTS["penalty"].items() if isinstance(penalty, kind))
