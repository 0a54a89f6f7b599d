import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from isthmus import Adam, AutoEncoder, Callback, Compute, Dense, TrainingWarning
from isthmus.core.initialisation import initialise
from isthmus.engine.fast import precision
from isthmus.engine.fast.fused_backward import FusedBackward
from isthmus.engine.fast.fused_steps import FusedSteps
from isthmus.parts.composition import compose

X = (load_digits().data / 16).astype(np.float32)


def steps(dtype=torch.float32):
    network = compose(6, 2, encoder=Dense((5,))).to(dtype)
    initialise(network, "torch", torch.Generator().manual_seed(0))
    return FusedSteps(FusedBackward(network), Adam(), 0.01, cuda_graph=False)


def choose(losses=(1.0, 1.0), operations=1e9, dtype=torch.float32):
    found = dict(zip(("float32", "bfloat16"), losses, strict=True))
    return precision.choose(steps(dtype), [], torch.rand(8, 6, dtype=dtype), operations, found.__getitem__)


@pytest.fixture
def times(monkeypatch):
    """Pretend that products in bfloat16 are so many times as fast."""
    found = [2.0]
    monkeypatch.setattr(precision, "gain", lambda *given: found[0])
    return found


@pytest.fixture
def eager(monkeypatch, times):
    monkeypatch.setattr(precision, "LEAST_OPERATIONS", 0)
    monkeypatch.setattr(precision, "LEAST_BY_RULE", {"cpu": 0.0})
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda on: True)


@pytest.mark.usefixtures("times")
def test_where_it_is_faster_and_leads_to_the_same():
    assert choose() == ("bfloat16", "bfloat16 matrix products (2 times as fast), float32 weights")


def test_not_where_it_is_slower(times):
    times[0] = 0.5
    assert choose() == ("float32", "float32 (bfloat16 matrix products would be 0.5 times as fast)")


@pytest.mark.usefixtures("times")
@pytest.mark.parametrize("other", [1.0 + 6 * precision.AGREEMENT * 1.01, math.nan, math.inf])
def test_not_where_the_loss_is_another(other):
    name, words = choose((1.0, other))
    assert name == "float32"
    assert "bfloat16 matrix products would change the loss" in words


@pytest.mark.parametrize(("has_them", "operations"), [(True, 1e9), (False, 1e9), (True, 1e8)])
def test_with_a_seed_no_clock_decides(monkeypatch, has_them, operations):
    monkeypatch.setattr(precision, "gain", lambda *given: pytest.fail("measured"))
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda on: has_them)
    x = torch.rand(8, 6)
    name, _ = precision.choose(steps(), [], x, operations, lambda name: 1.0, repeatable=True)
    assert (name == "bfloat16") == (has_them and operations >= precision.LEAST_BY_RULE["cpu"])


def test_not_asked_where_steps_are_short_or_numbers_wide(monkeypatch):
    monkeypatch.setattr(precision, "gain", lambda *given: pytest.fail("measured"))
    assert choose(operations=precision.LEAST_OPERATIONS - 1) == ("float32", "float32")
    assert choose(dtype=torch.float64) == ("float32", "float64")


def test_the_gain_is_measured_once_a_process(monkeypatch):
    monkeypatch.setattr(precision, "FOUND", {})
    made = steps()
    x = torch.rand(8, 6)
    weights = made.flat.vector.clone()
    first = precision.gain(("a",), made, x)
    assert 0 < first < math.inf
    assert precision.gain(("a",), made, x) == first
    assert list(precision.FOUND) == [("a",)]
    assert not made.backward.bfloat16
    assert torch.equal(made.flat.vector, weights)


@pytest.mark.usefixtures("eager")
def test_a_fit_tells_it():
    ae = AutoEncoder(8, epochs=3, random_state=0).fit(X)
    assert ae.fit_report_.precision.startswith("bfloat16 matrix products (long steps on a device that has them)")
    assert ae.history_["val_loss"][-1] < ae.history_["val_loss"][0]
    assert {p.dtype for p in ae.network_.parameters()} == {torch.float32}
    fixed = AutoEncoder(8, epochs=3, random_state=0, compute=Compute(precision="float32")).fit(X)
    assert fixed.fit_report_.precision == "float32"
    assert not np.array_equal(ae.transform(X), fixed.transform(X))
    np.testing.assert_allclose(ae.history_["val_loss"][-1], fixed.history_["val_loss"][-1], atol=0.3)


@pytest.mark.usefixtures("eager")
def test_an_epoch_without_a_better_loss_ends_it():
    ae = AutoEncoder(8, epochs=4, learning_rate=3.0, optimizer="adam", random_state=0)
    with pytest.warns(TrainingWarning, match="no epoch was better than the start"):
        ae.fit(X)
    assert ae.fit_report_.precision.endswith("float32 weights; float32 after epoch 1")


@pytest.mark.usefixtures("eager")
def test_what_was_asked_for_stays():
    ae = AutoEncoder(8, epochs=4, learning_rate=3.0, compute=Compute(precision="bfloat16"), random_state=0)
    with pytest.warns(TrainingWarning, match="no epoch was better than the start"):
        ae.fit(X)
    assert ae.fit_report_.precision == "bfloat16 matrix products, float32 weights"


@pytest.mark.usefixtures("eager")
def test_autograd_keeps_float32():
    assert AutoEncoder(8, epochs=1, penalty="l1", random_state=0).fit(X).fit_report_.precision == "float32"


def test_epochs_are_validated_in_the_precision_of_use():
    losses = []

    class Validate(Callback):
        def on_epoch_end(self, run):
            losses.append(run.validate(run.validation)["loss"])
            assert run.validate(run.validation, "bfloat16")["loss"] != losses[-1]

    ae = AutoEncoder(
        8,
        epochs=3,
        schedule="constant",
        compute=Compute(precision="bfloat16"),
        random_state=0,
        validation=0.5,
        callbacks=[Validate()],
    ).fit(X)
    assert losses == ae.history_["val_loss"][1:].tolist()
