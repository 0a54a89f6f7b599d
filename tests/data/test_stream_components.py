import numpy as np
import pytest
import torch

from isthmus.core.principal import principal_components
from isthmus.data.stream_components import Sketch, StreamComponents
from isthmus.data.stream_moments import Change

RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(600, 3)) @ RNG.normal(size=(3, 12)) + 0.1 * RNG.normal(size=(600, 12)))
NO = Change.none(12)


def add(components, rows, change=NO, weight=None):
    chunk = Sketch.of(lambda: [(rows, weight)], len(rows), components.features, components.most)
    components.add(chunk, change)
    return components


def assert_near(found, expected, rtol=1e-5):
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.variances, expected.variances, rtol=rtol)
    np.testing.assert_allclose(found.components, expected.components, atol=rtol)


@pytest.mark.parametrize("size", [600, 100, 5, 1])
def test_chunks_have_the_components_of_all_rows(size):
    components = StreamComponents.start(12, 3)
    for rows in X.split(size):
        add(components, rows)
    assert_near(components.all.principal(3), principal_components(lambda: [(X, None)], 12, 3), rtol=2e-3)


def test_weights_are_repetitions():
    weight = torch.arange(600) % 3.0
    one = add(StreamComponents.start(12, 3), X, weight=weight)
    other = add(StreamComponents.start(12, 3), X.repeat_interleave(weight.long(), 0))
    assert_near(one.all.principal(3), other.all.principal(3))


def test_other_units():
    ratio, shift = torch.linspace(0.5, 2, 12).double(), torch.linspace(-1, 1, 12).double()
    components = add(StreamComponents.start(12, 3), X)
    components.change_units(ratio, shift)
    assert_near(components.all.principal(3), principal_components(lambda: [((X - shift) / ratio, None)], 12, 3))


def test_what_a_change_leaves_behind_is_forgotten():
    everything, nothing = torch.ones(12, dtype=torch.bool), torch.zeros(12, dtype=torch.bool)
    grown = add(add(StreamComponents.start(12, 3), 100 * X[:50]), X[50:], Change(everything, nothing, True))
    later = StreamComponents.start(12, 3)
    add(later, 100 * X[:50], Change(nothing, nothing, True))
    add(later, X[50:], Change(nothing, everything, True))
    expected = principal_components(lambda: [(X[50:], None)], 12, 3)
    assert_near(grown.all.principal(3), expected)
    assert_near(later.all.principal(3), expected)


def test_columns_that_do_not_vary_have_no_components():
    assert StreamComponents.start(12, 3).all.principal(3) is None
    assert add(StreamComponents.start(12, 3), torch.ones(20, 12).double()).all.principal(3) is None
    one = add(StreamComponents.start(12, 3), torch.outer(torch.arange(20.0), torch.ones(12)).double())
    assert one.all.principal(3).components.shape == (12, 1)


def test_a_sketch_is_bounded_and_comes_back():
    components = StreamComponents.start(40, 2)
    wide = torch.from_numpy(RNG.normal(size=(30, 40)))
    for rows in wide.split(3):
        add(components, rows, Change.none(40))
    assert components.older.basis.shape[0] + components.recent.basis.shape[0] <= 2 * components.most
    back = StreamComponents.from_state(components.state)
    for one in (components, back):
        add(one, wide[:7] + 1, Change.none(40))
    for name, tensor in components.state.items():
        assert torch.equal(tensor, back.state[name])


def test_joining_is_symmetric_up_to_rounding():
    one, other = (Sketch.of(lambda rows=rows: [(rows, None)], len(rows), 12, 12) for rows in (X[:10], X[10:]))
    a, b = one.joined(other, 12), other.joined(one, 12)
    np.testing.assert_allclose(a.basis.T @ a.basis, b.basis.T @ b.basis, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(a.mean, b.mean)
