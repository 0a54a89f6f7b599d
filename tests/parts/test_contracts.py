"""What holds for every registered code, corruption and penalty; the registry finds a new one by itself."""

import pytest
import torch
from torch import Generator

from isthmus import Code, Corrupted, Deterministic, Masking
from isthmus.core import registry
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose, part

F, K, ROWS = 12, 60, 40
NEEDED_CODE = {
    "kl": "gaussian",
    "total_correlation": "gaussian",
    "importance_weighted": "gaussian",
    "kl_sparsity": Deterministic("sigmoid"),
}
"""The code without which a penalty or an objective makes no sense."""
codes = pytest.mark.parametrize("name", registry.parts("code"))
corruptions = pytest.mark.parametrize("name", registry.parts("corruption"))
DEMANDS = [(slot, name) for slot in ("penalty", "objective") for name in registry.parts(slot)]
OVER_PAIRS = ("mmd", "adversarial", "total_correlation")
"""Penalties that are estimated over pairs of rows, of which a row repeated makes others."""
demands = pytest.mark.parametrize(("slot", "name"), DEMANDS)


def numbers(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=Generator().manual_seed(seed))


def code_of(name):
    code = part("code", name).build(K)
    h = numbers(ROWS, code.inputs)
    code.start(h, Generator().manual_seed(1))
    return code, h


def network_with(slot, name):
    network = compose(F, 4, code=NEEDED_CODE.get(name, "deterministic"), **{slot: name})
    initialise(network, "orthogonal", Generator().manual_seed(0))
    return network


# -- codes -------------------------------------------------------------------------------------------------------------


@codes
@pytest.mark.parametrize("training", [True, False])
def test_code_has_its_shapes(name, training):
    code, h = code_of(name)
    code.train(training).generator = Generator().manual_seed(0)
    made = code(h)
    assert isinstance(made, Code)
    assert made.z.shape == made.mean.shape == (ROWS, K)
    assert (made.posterior is not None) == code.has_posterior
    assert all(term.shape == (ROWS,) for term in made.terms.values())


@codes
def test_code_in_use_is_the_same_for_a_row_alone(name):
    code, h = code_of(name)
    code.eval()
    torch.testing.assert_close(code(h[:1]).mean, code(h).mean[:1])
    assert torch.equal(code(h).z, code(h).mean)


@codes
def test_activation_is_the_function_of_each_coordinate(name):
    code, h = code_of(name)
    code.eval()
    if code.activation is not None and not code.codewords:
        changed = h.clone()
        changed[:, 3] += 1
        assert torch.equal(code(changed).mean[:, 4:], code(h).mean[:, 4:])
    assert code.rest_bias(torch.full((K,), 0.1)).shape == (code.inputs - K,)


@codes
def test_codewords_are_numbered_and_used(name):
    code, h = code_of(name)
    made, used = code.eval()(h), code.usage(code.eval()(h))
    if code.codewords:
        indices = code.indices(h)
        assert 0 <= int(indices.min()) <= int(indices.max()) < code.codewords
        assert used.shape == (code.codewords,)
        assert set(used.nonzero().flatten().tolist()) == set(indices.flatten().tolist())
    else:
        assert used is None or torch.equal(used, (made.mean != 0).any(0))
        with pytest.raises(NotImplementedError, match=r"has no codewords; take code='vector_quantizer'"):
            code.indices(h)


# -- corruptions -------------------------------------------------------------------------------------------------------


@corruptions
def test_corruption_leaves_the_rows_alone_and_repeats_its_noise(name):
    module, x = part("corruption", name).for_shape((3, 4)).build(F), numbers(ROWS, F)
    clean, seen = x.clone(), []
    for _ in range(2):
        module.generator = Generator().manual_seed(5)
        made = module(x)
        assert isinstance(made, Corrupted)
        seen.append(made.x)
    assert torch.equal(x, clean)
    assert torch.equal(*seen)
    assert seen[0].shape == x.shape
    assert not torch.equal(seen[0], x)
    assert (made.mask is not None) == module.marks
    assert (made.cells is not None) == module.weighs


@corruptions
def test_corruption_of_a_group_is_common(name):
    """Where entries are replaced, all of a group are or none."""
    module, x = part("corruption", name).for_shape((2, 2)).build(4), numbers(400, 4)
    module.feature_group = (0, 0, 1, 1)
    module.generator = Generator().manual_seed(0)
    if name in ("masking", "swap"):
        hit = module(x).x != x
        assert torch.equal(hit[:, 0], hit[:, 1])
        assert not torch.equal(hit[:, 0], hit[:, 2])


def test_marks_and_weights_are_declared():
    module = Masking(0.5, mark=True, score="hidden").build(F)
    module.generator = Generator().manual_seed(0)
    made = module(numbers(ROWS, F))
    assert module.marks
    assert module.weighs
    assert made.mask.shape == made.cells.shape == (ROWS, F)


# -- penalties and objectives ------------------------------------------------------------------------------------------


@demands
@pytest.mark.parametrize("training", [True, False])
def test_terms_are_one_number_per_row_and_have_gradients(slot, name, training):
    network = network_with(slot, name).train(training)
    network.seed(Generator().manual_seed(0))
    terms = network.terms(numbers(ROWS, F))
    assert {term.shape for term in terms.values()} == {(ROWS,)}
    sum(terms.values()).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.encoder.parameters())


@pytest.mark.parametrize(("slot", "name"), [(slot, name) for slot, name in DEMANDS if name not in OVER_PAIRS])
def test_weights_of_rows_are_rows_more_often(slot, name):
    """In evaluation, a row of weight 2 counts in statistics over the batch as the row twice."""
    network = network_with(slot, name).eval()
    x, weight = numbers(6, F), torch.tensor([1.0, 2, 1, 3, 1, 1])
    once, often = network.terms(x, weight), network.terms(x.repeat_interleave(weight.long(), 0))
    for term, values in once.items():
        torch.testing.assert_close((values * weight).sum() / 9, often[term].mean(), rtol=1e-4, atol=1e-5)


@demands
def test_prior_is_one_to_draw_from(slot, name):
    network = network_with(slot, name)
    if network.prior is not None:
        drawn = network.prior.sample(7, 4, Generator().manual_seed(0), torch.zeros(1, dtype=torch.float64))
        assert drawn.shape == (7, 4)
        assert drawn.dtype == torch.float64


@pytest.mark.parametrize("name", registry.parts("prior"))
def test_priors_are_found_by_name(name):
    network = compose(F, 4, penalty=registry.parts("penalty")["mmd"](prior=name))
    assert network.prior is not None
