import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Compute
from isthmus.core.blas import libraries
from isthmus.engine.fast import matmul
from isthmus.engine.fast.matmul import GAIN, NumpyMatmul, TorchMatmul

X = load_digits().data / 16


@pytest.fixture
def gain(monkeypatch):
    """Pretend that numpy is so many times as fast as torch."""
    found = [2.0]
    monkeypatch.setattr(matmul, "numpy_gain", lambda: found[0])
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("backend", [TorchMatmul(), NumpyMatmul()])
def test_products_are_written_to_the_given_memory(backend, dtype):
    a, b, bias = (torch.rand(size, dtype=dtype) for size in ((5, 3), (4, 3), (4,)))
    out = torch.full((5, 4), torch.nan, dtype=dtype)
    backend.affine(backend.operand(a), backend.operand(b.t()), backend.operand(bias), backend.operand(out))
    torch.testing.assert_close(out, a @ b.t() + bias)
    backend.multiply(backend.operand(a), backend.operand(b.t()), backend.operand(out))
    torch.testing.assert_close(out, a @ b.t())


def test_the_faster_one_is_chosen(gain):
    on = torch.device("cpu")
    assert matmul.numpy_is_chosen("auto", on)
    gain[0] = GAIN - 0.01
    assert not matmul.numpy_is_chosen("auto", on)


@pytest.mark.usefixtures("gain")
def test_the_one_asked_for_is_chosen():
    on = torch.device("cpu")
    assert not matmul.numpy_is_chosen("torch", on)
    assert matmul.numpy_is_chosen("numpy", on)
    assert not matmul.numpy_is_chosen("auto", torch.device("meta"))


def test_unknown_ones_are_refused():
    with pytest.raises(ValueError, match="unknown matmul 'cupy'"):
        AutoEncoder(2, compute=Compute(matmul="cupy")).fit(X)
    with pytest.raises(ValueError, match="works on the processor, not on device='meta'; take 'auto'"):
        matmul.backend_name("numpy", torch.device("meta"))


def test_the_measurement_leaves_the_threads_alone():
    before = torch.get_num_threads(), [library.get_num_threads() for library in libraries()]
    matmul.numpy_gain.cache_clear()
    assert matmul.numpy_gain() > 0, "the two agree"
    assert before == (torch.get_num_threads(), [library.get_num_threads() for library in libraries()])


def test_a_library_that_errs_is_not_taken(monkeypatch):
    def wrong(self, a, b, out):
        np.matmul(a, b, out=out)
        out[0, 0] *= 1.01

    monkeypatch.setattr(matmul, "is_zen_5", lambda: True)
    assert matmul.numpy_is_chosen("auto", torch.device("cpu"), repeatable=True)
    monkeypatch.setattr(NumpyMatmul, "multiply", wrong)
    matmul.numpy_gain.cache_clear()
    matmul.agree.cache_clear()
    try:
        assert matmul.numpy_gain() == 0
        assert not matmul.numpy_is_chosen("auto", torch.device("cpu"), repeatable=True)
    finally:
        matmul.numpy_gain.cache_clear()
        matmul.agree.cache_clear()


def test_on_several_threads_torch_multiplies():
    computes = [Compute(matmul="numpy", threads=threads) for threads in (1, 2)]
    found = [AutoEncoder(5, epochs=1, compute=compute, random_state=0).fit(X) for compute in computes]
    assert ["numpy matmul" in ae.fit_report_.steps for ae in found] == [True, False]


def test_both_lead_to_the_same_model():
    by_torch, by_numpy = (
        AutoEncoder(5, epochs=5, compute=Compute(matmul=name, precision="float64"), random_state=0).fit(X)
        for name in ("torch", "numpy")
    )
    assert "numpy matmul" in str(by_numpy.fit_report_)
    assert "numpy" not in str(by_torch.fit_report_)
    np.testing.assert_allclose(by_numpy.transform(X), by_torch.transform(X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("zen_5", [True, False])
def test_with_a_seed_no_clock_decides(monkeypatch, zen_5):
    monkeypatch.setattr(matmul, "numpy_gain", lambda: pytest.fail("measured"))
    monkeypatch.setattr(matmul, "is_zen_5", lambda: zen_5)
    assert matmul.numpy_is_chosen("auto", torch.device("cpu"), repeatable=True) == zen_5


@pytest.mark.parametrize(("hidden", "by_numpy"), [(50, True), (5000, False)])
def test_with_a_seed_the_size_of_a_step_decides(monkeypatch, hidden, by_numpy):
    monkeypatch.setattr(matmul, "is_zen_5", lambda: True)
    settings = {
        "epochs": 1,
        "batch_size": 300,
        "compute": Compute(precision="float32"),
        "init": "torch",
        "validation": 0.0,
    }
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ae = AutoEncoder(5, (hidden,), **settings, random_state=0).fit(X)
    finally:
        torch.set_num_threads(before)
    assert ("numpy matmul" in ae.fit_report_.steps) == by_numpy
