import numpy as np
import pytest
import torch
from torch import Generator

import isthmus
from isthmus import (
    KL,
    L1,
    AutoEncoder,
    Bernoulli,
    Blocks,
    Categorical,
    Convolutional,
    Dense,
    Deterministic,
    Gaussian,
    GaussianNoise,
    Linear,
    Mixed,
    Tied,
)
from isthmus.core import registry
from isthmus.core.contract import Part
from isthmus.core.initialisation import initialise
from isthmus.core.modules import Stack, TiedStack
from isthmus.core.network import Network
from isthmus.core.registry import REGISTERED
from isthmus.parts.composition import compose, part
from isthmus.parts.slots import BUILDERS

F, K = 6, 2
SIZES = {"top_k": (60, 30), "batch_top_k": (60, 30), "fsq": (6, 4)}
PARTS_THAT_NEED = {
    "blocks": Blocks(shape=(2, 3)),
    "convolutional": Convolutional((2, 3)),
    "categorical": Categorical((2, 4)),
    "mixed": Mixed((Gaussian(1.0), Bernoulli(), Categorical((2, 1))), (2, 1, 3)),
}
COMPANY = {
    "kl": {"code": "gaussian"},
    "total_correlation": {"code": "gaussian"},
    "importance_weighted": {"code": "gaussian"},
    "kl_sparsity": {"code": Deterministic("sigmoid")},
}
"""What a part cannot do without."""


# -- names and slots -------------------------------------------------------------------------------------------------


NAMES = [(slot, name) for slot in BUILDERS for name in registry.parts(slot)]


@pytest.mark.parametrize(("slot", "name"), NAMES)
def test_name_is_the_part_with_its_defaults(slot, name):
    found = part(slot, name)
    assert found == registry.parts(slot)[name]()
    assert isinstance(found, Part)
    assert part(slot, name) is not found
    assert part(slot, found) is found


@pytest.mark.parametrize(("slot", "name"), NAMES)
def test_every_part_composes(slot, name):
    network = compose(*SIZES.get(name, (F, K)), **{slot: PARTS_THAT_NEED.get(name, name)} | COMPANY.get(name, {}))
    network.code.start(torch.rand(9, network.code.inputs), Generator().manual_seed(0))
    initialise(network, "torch", Generator().manual_seed(0))
    network.seed(Generator().manual_seed(0))
    rows = torch.rand(3, SIZES.get(name, (F, K))[0], generator=Generator().manual_seed(0))
    terms = network.terms(rows)
    assert {values.shape for values in terms.values()} == {(3,)}


def test_every_registered_part_is_public():
    ours = {entry.kind for entry in REGISTERED.values() if entry.kind.__module__.startswith("isthmus.parts.")}
    assert {kind.__name__ for kind in ours} - {"StandardNormal"} <= set(isthmus.__all__)


@pytest.mark.parametrize(("word", "meant"), [("mse", Gaussian(variance=0.5)), ("bce", Bernoulli())])
def test_words_of_the_paper(word, meant):
    assert part("likelihood", word) == meant
    assert part("likelihood", word) is not part("likelihood", word)
    assert type(compose(F, K, likelihood=word).likelihood) is type(compose(F, K, likelihood=meant).likelihood)


def test_mean_squared_error_is_trained():
    X = np.random.default_rng(0).normal(size=(60, 4))
    named, given = (
        AutoEncoder(2, likelihood=likelihood, epochs=2, random_state=0).fit(X)
        for likelihood in ("mse", Gaussian(variance=0.5))
    )
    np.testing.assert_array_equal(named.reconstruct(X), given.reconstruct(X))
    assert named.network_.likelihood.mode == 0.5


@pytest.mark.parametrize(
    ("slot", "given", "meant"),
    [
        ("encoder", "dens", "dense"),
        ("decoder", "tide", "tied"),
        ("code", "determinstic", "deterministic"),
        ("likelihood", "gausian", "gaussian"),
        ("corruption", "gaussian", "gaussian_noise"),
        ("penalty", "L1", "l1"),
    ],
)
def test_name_that_is_not_known(slot, given, meant):
    with pytest.raises(ValueError, match=f"^unknown {slot} '{given}'; did you mean '{meant}'"):
        compose(F, K, **{slot: given})


def test_name_that_is_near_nothing():
    with pytest.raises(
        ValueError, match=r"^unknown likelihood 'xyz' \(one of: .*'gaussian', 'bernoulli'.*'mse', 'bce'\)$"
    ):
        compose(F, K, likelihood="xyz")


@pytest.mark.parametrize(
    ("slot", "given", "expected"),
    [
        ("encoder", Gaussian(), r"must have build_encoder\(features, outputs\), like Convolutional, Dense, Linear"),
        ("encoder", Tied(), r"must have build_encoder\(features, outputs\)"),
        ("encoder", None, r"must have build_encoder\(features, outputs\).*; NoneType has none"),
        ("decoder", L1(), r"must have build_decoder\(latent, outputs, encoder\), like Convolutional, Dense, Linear"),
        ("code", Dense(), r"must have build\(latent\), like BatchTopK, Deterministic, FSQ"),
        ("code", Gaussian(), "must be a part like BatchTopK, .*; Gaussian is for likelihood"),
        ("likelihood", GaussianNoise(), "must be a part like Bernoulli, .*; GaussianNoise is for corruption"),
        ("likelihood", Gaussian, "must be a part, not its class: take Gaussian"),
        ("corruption", 0.3, r"must have build\(features\), like Blocks, GaussianNoise, .*; float has none: got 0.3"),
        ("penalty", [L1(), Bernoulli()], "must be a part like Adversarial, .*; Bernoulli is for likelihood"),
        ("penalty", 0.1, r"must have build\(features, latent\), like Adversarial, Contractive, KL"),
        ("objective", KL(), "must be a part like ImportanceWeighted, or a name; KL is for penalty"),
    ],
    ids=str,
)
def test_part_of_another_slot(slot, given, expected):
    with pytest.raises(ValueError, match=f"^{slot} {expected}"):
        compose(F, K, **{slot: given})


# -- networks --------------------------------------------------------------------------------------------------------


def test_defaults():
    network = compose(F, K)
    assert isinstance(network, Network)
    assert [weight.shape for weight in network.encoder.weights] == [(128, F), (K, 128)]
    assert [weight.shape for weight in network.decoder.weights] == [(128, K), (F, 128)]
    assert network.likelihood.mode == "optimal"
    assert network.corruption is None
    assert network.objective is None
    assert len(network.penalties) == 0


def test_decoder_mirrors_the_encoder():
    encoder = Dense((7, 5), "tanh", dropout=0.1)
    network = compose(F, K, encoder=encoder)
    assert [weight.shape[0] for weight in network.decoder.weights] == [5, 7, F]
    assert network.decoder.activation_name == "tanh"
    assert network.decoder.dropout is not network.encoder.dropout


def test_decoder_of_its_own():
    network = compose(F, K, encoder=Linear(), decoder=Dense((9,)))
    assert [len(network.encoder.weights), len(network.decoder.weights)] == [1, 2]
    assert isinstance(network.encoder, Stack)


def test_learned_variance_doubles_the_outputs():
    assert compose(F, K, likelihood=Gaussian("learned")).decoder.weights[-1].shape == (2 * F, 128)


def test_parts_are_not_changed_and_serve_again():
    parts = {"encoder": Dense((5,)), "code": Deterministic("tanh"), "penalty": L1(0.2), "likelihood": Gaussian(0.1)}
    first, second = compose(F, K, **parts), compose(F, K, **parts)
    assert parts["encoder"] == Dense((5,))
    assert first.encoder.weights[0] is not second.encoder.weights[0]


# -- tied ------------------------------------------------------------------------------------------------------------


def test_tied_decoder_is_tied_to_this_encoder():
    network = compose(F, K, encoder=Dense((5,)), decoder="tied")
    assert isinstance(network.decoder, TiedStack)
    assert network.decoder.source[0] is network.encoder
    assert sum(parameter.numel() for parameter in network.parameters()) == F * 5 + 5 * K + (5 + K) + (5 + F)


def test_tied_decoder_has_no_outputs_for_a_learned_variance():
    with pytest.raises(ValueError, match=r"a Tied decoder maps 2 to 6 numbers.* need 2 to 12: take an untied decoder"):
        compose(F, K, decoder="tied", likelihood=Gaussian("learned"))


def test_tied_decoder_with_a_normed_encoder():
    with pytest.raises(ValueError, match="take norm=None"):
        compose(F, K, encoder=Dense((5,), norm="layer"), decoder=Tied())


# -- penalties -------------------------------------------------------------------------------------------------------


class Sparse(L1):
    """A user's own kind of L1."""


@pytest.mark.parametrize(
    ("penalty", "names"),
    [
        (None, []),
        ((), []),
        ("l1", ["l1"]),
        (L1(), ["l1"]),
        (["l1"], ["l1"]),
        ((L1(0.1), "l1"), ["l1", "l1_2"]),
        ([L1(), L1(), L1()], ["l1", "l1_2", "l1_3"]),
        (Sparse(), ["l1"]),
    ],
    ids=str,
)
def test_none_one_or_several_penalties(penalty, names):
    assert list(compose(F, K, penalty=penalty).penalties) == names


def test_several_penalties_all_count():
    network = compose(F, K, penalty=[L1(0.1), L1(0.2)])
    initialise(network, "torch", Generator().manual_seed(0))
    x = torch.rand(4, F, generator=Generator().manual_seed(0))
    terms = network.terms(x)
    size = network.encode(x).mean.abs().sum(1)
    torch.testing.assert_close(terms["l1"], 0.1 * size)
    torch.testing.assert_close(terms["l1_2"], 0.2 * size)


# -- values of parameters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"encoder": Dense((0,))}, "hidden"),
        ({"encoder": Dense(dropout=1)}, "dropout"),
        ({"encoder": Dense(activation="x")}, "activation"),
        ({"encoder": Dense(norm="x")}, "norm"),
        ({"decoder": Dense((0,))}, "hidden"),
        ({"code": Deterministic("x")}, "activation"),
        ({"likelihood": Gaussian(-1)}, "variance of Gaussian"),
        ({"likelihood": Gaussian(floor=0)}, "floor of Gaussian"),
        ({"corruption": GaussianNoise(-1)}, "scale of GaussianNoise"),
        ({"penalty": L1(-1)}, "weight of L1"),
    ],
    ids=str,
)
def test_value_that_cannot_be_is_named(parts, named):
    with pytest.raises(ValueError, match=named):
        compose(F, K, **parts)
