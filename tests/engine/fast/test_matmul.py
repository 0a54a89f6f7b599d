import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Compute
from isthmus.core.blas import libraries
from isthmus.engine.fast import matmul
from isthmus.engine.fast.matmul import GAIN, NumpyProducts, TorchProducts

X = load_digits().data / 16


@pytest.fixture
def gain(monkeypatch):
    """Pretend that numpy's products are so many times as fast as torch's."""
    found = [2.0]
    monkeypatch.setattr(matmul, "numpy_gain", lambda: found[0])
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("made_by", [TorchProducts(), NumpyProducts()])
def test_products_are_written_where_they_are_asked_for(made_by, dtype):
    a, b, bias = (torch.rand(size, dtype=dtype) for size in ((5, 3), (4, 3), (4,)))
    out = torch.full((5, 4), torch.nan, dtype=dtype)
    made_by.affine(made_by.matrix(a), made_by.matrix(b.t()), made_by.matrix(bias), made_by.matrix(out))
    torch.testing.assert_close(out, a @ b.t() + bias)
    made_by.multiply(made_by.matrix(a), made_by.matrix(b.t()), made_by.matrix(out))
    torch.testing.assert_close(out, a @ b.t())


def test_the_faster_makes_them(gain):
    on = torch.device("cpu")
    assert isinstance(matmul.of("auto", on), NumpyProducts)
    gain[0] = GAIN - 0.01
    assert isinstance(matmul.of("auto", on), TorchProducts)


@pytest.mark.usefixtures("gain")
def test_who_is_asked_for_makes_them():
    on = torch.device("cpu")
    assert isinstance(matmul.of("torch", on), TorchProducts)
    assert isinstance(matmul.of("numpy", on), NumpyProducts)
    assert isinstance(matmul.of("auto", torch.device("meta")), TorchProducts)


def test_others_are_refused():
    with pytest.raises(ValueError, match="unknown products 'cupy'"):
        AutoEncoder(2, products="cupy").fit(X)
    with pytest.raises(ValueError, match="made on the processor, not on device='meta'; take 'auto'"):
        matmul.maker("numpy", torch.device("meta"))


def test_the_measurement_leaves_the_threads_alone():
    before = torch.get_num_threads(), [library.get_num_threads() for library in libraries()]
    matmul.numpy_gain.cache_clear()
    assert matmul.numpy_gain() > 0, "the two agree"
    assert before == (torch.get_num_threads(), [library.get_num_threads() for library in libraries()])


def test_a_library_that_errs_is_not_taken(monkeypatch):
    def wrong(self, a, b, out):
        np.matmul(a, b, out=out)
        out[0, 0] *= 1.01

    monkeypatch.setattr(NumpyProducts, "multiply", wrong)
    matmul.numpy_gain.cache_clear()
    assert matmul.numpy_gain() == 0
    matmul.numpy_gain.cache_clear()


def test_on_several_threads_torch_makes_them():
    found = [AutoEncoder(5, epochs=1, products="numpy", threads=threads, random_state=0).fit(X) for threads in (1, 2)]
    assert ["by numpy" in ae.fit_report_.steps for ae in found] == [True, False]


def test_both_lead_to_the_same_model():
    by_torch, by_numpy = (
        AutoEncoder(5, epochs=5, products=name, precision="float64", random_state=0).fit(X)
        for name in ("torch", "numpy")
    )
    assert "products by numpy" in str(by_numpy.fit_report_)
    assert "numpy" not in str(by_torch.fit_report_)
    np.testing.assert_allclose(by_numpy.transform(X), by_torch.transform(X), rtol=1e-6, atol=1e-8)


@pytest.mark.usefixtures("gain")
@pytest.mark.parametrize(("hidden", "by_numpy"), [(50, True), (5000, False)])
def test_with_a_seed_the_size_of_a_step_decides(hidden, by_numpy):
    settings = {
        "epochs": 1,
        "batch_size": 300,
        "compute": Compute(precision="float32"),
        "init": "torch",
        "validation_fraction": 0.0,
    }
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ae = AutoEncoder(5, (hidden,), **settings, random_state=0).fit(X)
    finally:
        torch.set_num_threads(before)
    assert ("by numpy" in ae.fit_report_.steps) == by_numpy
