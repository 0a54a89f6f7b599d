"""From parts to a network: names to parts, and parts to modules of the right sizes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, overload

from torch import nn

from isthmus.core.choices import unknown
from isthmus.core.contract import Backbone, CodeModule
from isthmus.core.corruption import CorruptionModule
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network, Wrapped
from isthmus.core.registry import name_of, parts
from isthmus.parts import trial
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.own_modules import Own
from isthmus.parts.slots import BUILDERS, Bottleneck, Corruption, Decoder, Encoder, Likelihood, Objective, Penalty

PAPER_WORDS: dict[str, Callable[[], Likelihood]] = {"mse": partial(Gaussian, variance=0.5), "bce": Bernoulli}
"""The paper's names of losses, mean squared error and binary cross-entropy, as likelihoods."""


@overload
def part(slot: Literal["encoder"], given: object) -> Encoder: ...
@overload
def part(slot: Literal["decoder"], given: object) -> Decoder: ...
@overload
def part(slot: Literal["code"], given: object) -> Bottleneck: ...
@overload
def part(slot: Literal["likelihood"], given: object) -> Likelihood: ...
@overload
def part(slot: Literal["corruption"], given: object) -> Corruption: ...
@overload
def part(slot: Literal["penalty"], given: object) -> Penalty: ...
@overload
def part(slot: Literal["objective"], given: object) -> Objective: ...
def part(slot: str, given: object) -> Any:
    """Return the part that a user means: an object that can fill the slot, or the registered part of that name.

    Parameters
    ----------
    slot : str
        "encoder", "decoder", "code", "likelihood", "corruption", "penalty" or "objective".
    given : str or part
        A registered name, which stands for the part with its default parameters; "mse" or "bce" for a likelihood; a
        torch module for an encoder or a decoder (`Own`); or any object with the slot's builder method, such as
        ``build(features)`` for a likelihood.

    Raises
    ------
    ValueError
        If the name is unknown, if the object has no such method, or if it is a part for another slot.

    Examples
    --------
    >>> part("likelihood", "mse")
    Gaussian(variance=0.5, activation='identity', floor=1e-06)
    >>> part("code", "top_k")
    TopK(k=25, alpha=1.0, anneal=0.0, activation='identity', balance=0.4)
    """
    if isinstance(given, str):
        return named(slot, given)
    if slot in ("encoder", "decoder") and isinstance(given, nn.Module):
        return Own(given)
    refuse_without_builder(slot, given)
    refuse_part_of_another_slot(slot, given)
    return given


def named(slot: str, name: str) -> object:
    """Return the registered part of that name, with its default parameters."""
    known = parts(slot)
    words = PAPER_WORDS if slot == "likelihood" else {}
    if name in words:
        return words[name]()
    if name not in known:
        raise ValueError(unknown(slot, name, [*known, *words]))
    return known[name]()


def refuse_without_builder(slot: str, given: object) -> None:
    """Raise a `ValueError` if an object, or a class in the place of one, cannot build a module for the slot."""
    builder = BUILDERS[slot]
    if isinstance(given, type):
        raise ValueError(f"{slot} must be a part, not its class: take {given.__name__}(...)")
    if builder.method not in dir(given):
        raise ValueError(
            f"{slot} must have {builder}, like {kinds_of(slot)}, or be a name; {type(given).__name__} has none: "
            f"got {given!r}"
        )


def refuse_part_of_another_slot(slot: str, given: object) -> None:
    """Raise a `ValueError` if a part is registered for other slots than this one: builders of some slots look alike."""
    others = [other for other in BUILDERS if isinstance(given, tuple(parts(other).values()))]
    if others and slot not in others:
        raise ValueError(
            f"{slot} must be a part like {kinds_of(slot)}, or a name; {type(given).__name__} is for "
            f"{' and '.join(others)}: got {given!r}"
        )


def kinds_of(slot: str) -> str:
    """Return the names of the classes that can fill a slot."""
    return ", ".join(sorted(kind.__name__ for kind in parts(slot).values()))


def compose(
    features: int,
    latent: int,
    *,
    encoder: object = "dense",
    decoder: object = None,
    code: object = "deterministic",
    likelihood: object = "gaussian",
    corruption: object = None,
    penalty: object = None,
    objective: object = None,
) -> Network:
    """Build the network of these parts; its weights are not initialised.

    Parameters
    ----------
    features : int
        F, the numbers of a row.
    latent : int
        K, the numbers of a code.
    encoder, decoder, code, likelihood, corruption, objective : str or part
        As `part` takes them. ``decoder=None`` mirrors the encoder.
    penalty : str, part or sequence of them, optional
        One penalty or several.

    Raises
    ------
    ValueError
        If parts do not suit each other: both are named, and the mend; or if a user's own part lacks a method or returns
        a wrong shape.

    Examples
    --------
    >>> from isthmus import Bernoulli, Dense
    >>> network = compose(784, 64, encoder=Dense((128,)), likelihood=Bernoulli())
    >>> [tuple(weight.shape) for weight in network.encoder.weights + network.decoder.weights]
    [(128, 784), (64, 128), (128, 64), (784, 128)]
    """
    encoder_part, code_part = part("encoder", encoder), part("code", code)
    decoder_part = mirror(encoder_part) if decoder is None else part("decoder", decoder)
    code_module = built_code(code_part, latent)
    likelihood_module = built_likelihood(part("likelihood", likelihood), features)
    corruption_module = None if corruption is None else built_corruption(corruption, features, likelihood_module)
    marked = features if corruption_module is not None and corruption_module.marks else 0
    inputs = (likelihood_module.inputs or features) + marked
    encoder_module = encoder_part.build_encoder(inputs, code_module.inputs)
    trial.backbone(encoder_part, "encoder", encoder_module, inputs, code_module.inputs)
    encoder_module = encoder_module if isinstance(encoder_module, Backbone) else Wrapped(encoder_module)
    decoder_module = decoder_part.build_decoder(latent, likelihood_module.outputs, encoder_module)
    trial.backbone(decoder_part, "decoder", decoder_module, latent, likelihood_module.outputs)
    penalties = [part("penalty", one) for one in several(penalty)]
    modules = [one.build(features, latent) for one in penalties]
    goal = None if objective is None else part("objective", objective)
    network = Network(
        encoder=encoder_module,
        code=code_module,
        decoder=decoder_module,
        likelihood=likelihood_module,
        corruption=corruption_module,
        penalties=dict(zip(names_of(penalties), modules, strict=True)),
        objective=None if goal is None else goal.build(features, latent),
    )
    network.check()
    for one, module in zip(penalties, modules, strict=True):
        trial.demand(one, "penalty", module, network, features)
    if goal is not None and network.objective is not None:
        trial.demand(goal, "objective", network.objective, network, features)
    return network


def mirror(encoder: Encoder) -> Decoder:
    """Return an encoder's part as the decoder's, which mirrors it."""
    if isinstance(encoder, Own):
        raise ValueError("an encoder that is a torch module has no mirror: give a decoder too")
    return part("decoder", encoder)


def built_code(code: Bottleneck, latent: int) -> CodeModule:
    """Return the module of a code."""
    module = code.build(latent)
    trial.code(code, module)
    module.made_by = type(code).__name__
    return module


def built_likelihood(likelihood: Likelihood, features: int) -> LikelihoodModule:
    """Return the module of a likelihood, whose messages name the part."""
    module = likelihood.build(features)
    trial.likelihood(likelihood, module, features)
    module.made_by = type(likelihood).__name__
    return module


def built_corruption(given: object, features: int, likelihood: LikelihoodModule) -> CorruptionModule:
    """Return the module of a corruption, for the features that the likelihood groups.

    A likelihood with a place for missing entries shows the encoder what is hidden, and needs no marks.

    Raises
    ------
    ValueError
        If it makes entries missing and the likelihood has no place for missing entries.
    """
    corruption = part("corruption", given)
    module = corruption.build(features)
    trial.corruption(corruption, module, features)
    module.feature_group = likelihood.feature_group
    if likelihood.inputs is not None:
        module.remove()
    if module.removes and likelihood.inputs is None:
        raise ValueError(
            f"{type(corruption).__name__}(value=None) makes entries missing, which {likelihood.made_by} does not "
            "allow; take value=0.0, or likelihood=Mixed(...)"
        )
    return module


def several(penalty: object) -> Sequence[object]:
    """Return no, one or several penalties as a sequence."""
    if penalty is None:
        return ()
    return penalty if isinstance(penalty, list | tuple) else (penalty,)


def names_of(penalties: Sequence[Penalty]) -> list[str]:
    """Return the names of the penalties in the history: "l1", and "l1_2" for a second one of the same kind."""
    kinds = [name_of(penalty, "penalty") for penalty in penalties]
    counts = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
    return [kind if count == 1 else f"{kind}_{count}" for kind, count in zip(kinds, counts, strict=True)]
