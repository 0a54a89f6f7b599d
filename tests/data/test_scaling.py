import math

import numpy as np
import pytest
import torch

from isthmus.data.moments import summarise
from isthmus.data.number_types import as_tensor
from isthmus.data.scaling import SCALES, AffineScaling, automatic_scale, scaling

DTYPES = ["uint8", "int64", "float16", "float32", "float64"]


def table(dtype="float64", offset=0):
    rng = np.random.default_rng(0)
    return (rng.integers(1, 120, (200, 4)) * np.array([1, 2, 1, 1]) + offset).astype(dtype)


def summary_of(X):
    rows = as_tensor(X).double().contiguous()
    return summarise(lambda: iter([(rows, torch.ones(len(rows), dtype=torch.float64))]), X.shape[1])


def fitted(X, method):
    return scaling(method, summary_of(X))


def scaled(X, method, dtype=torch.float64):
    return fitted(X, method)(as_tensor(X), dtype).numpy()


def test_standard():
    x = scaled(table(), "standard")
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(x.std(0), 1, rtol=1e-14)


def test_minmax():
    x = scaled(table(), "minmax")
    np.testing.assert_array_equal(x.min(0), 0)
    np.testing.assert_array_equal(x.max(0), 1)


@pytest.mark.parametrize(("offset", "start"), [(0, 0), (-50, -49), (100_000, 100_001)])
def test_global_is_one_map_for_all_columns(offset, start):
    X = table(offset=offset)
    x = scaled(X, "global")
    assert X.min() - offset == 1
    assert x.min() >= 0
    assert x.max() == 1
    np.testing.assert_allclose(x, (X - start) / (X.max() - start), rtol=1e-12)


@pytest.mark.parametrize("method", ["none", None])
def test_none(method):
    np.testing.assert_array_equal(scaled(table(), method), table())


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (table() / 300, "none"),
        (table() > 60, "none"),
        (table("uint8"), "global"),
        (table("int64"), "standard"),
        (table("float32"), "standard"),
        (-table() / 300, "standard"),
    ],
)
def test_auto_without_rows(X, expected):
    assert automatic_scale(summary_of(X), as_tensor(X).dtype, None).name == expected


def test_common_keeps_relative_sizes():
    X = table()
    x = scaled(X, "common")
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(x.var(0).mean(), 1)
    np.testing.assert_allclose(x.std(0) / x.std(0)[0], X.std(0) / X.std(0)[0])


@pytest.mark.parametrize("method", [*SCALES, None])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inverse_undoes_it(method, dtype):
    X = table(dtype)
    chosen = fitted(X, method)
    back = chosen.inverse(chosen(as_tensor(X), torch.float64))
    assert back.dtype == torch.float64
    np.testing.assert_allclose(back, X.astype(float), rtol=1e-5 if dtype in ("uint8", "float16", "float32") else 1e-13)


@pytest.mark.parametrize("method", ["standard", "minmax", "global"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_result_has_the_type_asked_for(method, dtype):
    for X in map(table, DTYPES):
        assert scaled(X, method, dtype).dtype == np.dtype(str(dtype).removeprefix("torch."))


@pytest.mark.parametrize("method", SCALES)
@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, -3.3, 1e9 + 0.1, 1e-300])
def test_constant_columns_are_shifted_only(method, value):
    X = table()
    X[:, 1] = value
    chosen = fitted(X, method)
    assert bool((chosen.scale > 0).all())
    if method in ("standard", "minmax"):
        assert chosen.scale[1] == 1
        np.testing.assert_allclose(scaled(X, method)[:, 1], 0, atol=1e-6)


@pytest.mark.parametrize("method", SCALES)
def test_all_constant(method):
    X = np.full((20, 3), 7.0)
    chosen = fitted(X, method)
    assert np.isfinite(scaled(X, method)).all()
    np.testing.assert_allclose(chosen.inverse(chosen(as_tensor(X), torch.float64)), X)


def test_rounding_is_no_spread():
    X = np.full((1000, 1), 0.1)
    X[::2] = np.nextafter(0.1, 1)
    assert fitted(X, "standard").scale.item() == 1
    X = np.linspace(0, 1e-6, 1000)[:, None] + 1  # a small spread is one all the same
    np.testing.assert_allclose(scaled(X, "standard").std(), 1, rtol=1e-6)


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_large_offset_keeps_the_digits(method):
    x = np.random.default_rng(1).integers(-1000, 1000, (500, 3)) / 1024.0
    near, far = scaled(x, method, torch.float32), scaled(x + 1e9, method, torch.float32)
    np.testing.assert_allclose(far, near, atol=1e-5)
    whole = (1024 * x).astype(np.int64)
    np.testing.assert_allclose(scaled(whole + 10**9, method), scaled(whole, method), atol=1e-9)


def test_eight_bit_images():
    X = np.arange(256, dtype=np.uint8).reshape(64, 4)
    assert automatic_scale(summary_of(X), torch.uint8, X).name == "global"
    chosen = fitted(X, "global")
    np.testing.assert_allclose(chosen(torch.from_numpy(X), torch.float32), X / np.float32(255), rtol=1e-6)


@pytest.mark.parametrize("method", SCALES)
def test_log_volume_is_the_log_determinant(method):
    chosen = fitted(table(), method)
    unit = chosen.inverse(torch.eye(4, dtype=torch.float64)) - chosen.inverse(torch.zeros(1, 4, dtype=torch.float64))
    volume = chosen.log_volume(torch.zeros(3, 4))
    assert volume.dtype == torch.float64
    np.testing.assert_allclose(volume, [math.log(abs(np.linalg.det(unit.numpy())))] * 3, atol=1e-9)


def test_short_cut_is_the_same_map():
    scale = torch.full((4,), 3.0, dtype=torch.float64)
    quick, slow = AffineScaling(0 * scale, scale), AffineScaling(0 * scale, scale)
    slow.common = None
    raw = torch.from_numpy(table())
    assert quick.common == 3
    np.testing.assert_allclose(quick(raw, torch.float64), slow(raw, torch.float64), rtol=1e-15)


def test_refresh_after_other_values():
    one = torch.ones(2, dtype=torch.float64)
    chosen = AffineScaling(0 * one, one)
    chosen.load_state_dict({"shift": one, "scale": 2 * one})
    chosen.refresh()
    assert chosen(torch.full((1, 2), 5.0), torch.float64).tolist() == [[2, 2]]


def test_extreme_values_do_not_overflow_the_map():
    X = np.array([[1e308, 1.0], [-1e308, 2.0]])
    for method in ("standard", "minmax"):
        chosen = fitted(X, method)
        assert bool(torch.isfinite(chosen.scale).all())


@pytest.mark.parametrize("method", ["standart", "", 3])
def test_unknown_method(method):
    with pytest.raises(ValueError, match=r"unknown scale .*one of: 'standard', 'minmax', 'global', 'common', 'none'"):
        fitted(table(), method)
    with pytest.raises(ValueError, match="did you mean 'standard'"):
        fitted(table(), "standart")


@pytest.mark.parametrize("raw", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("shift", "scale"), [([0.0, 0.0], [1.0, 1.0]), ([0.0, 0.0], [255.0, 255.0]), ([3.0, 1.0], [2.0, 9.0])]
)
def test_memory_that_is_given_holds_the_same(raw, dtype, shift, scale):
    scaling = AffineScaling(*(torch.tensor(numbers, dtype=torch.float64) for numbers in (shift, scale)))
    x = torch.arange(10).view(5, 2).to(getattr(torch, raw))
    expected = scaling(x, dtype)
    out = x.clone() if x.dtype == dtype else torch.empty(5, 2, dtype=dtype)
    assert scaling(out if x.dtype == dtype else x, dtype, out) is out
    assert torch.equal(out, expected)


def test_the_contract_of_tables_of_numbers():
    scale = torch.tensor([2.0, 4.0, 8.0], dtype=torch.float64)
    chosen, x = AffineScaling(torch.zeros_like(scale), scale), torch.randn(5, 3)
    assert (chosen.numbers, chosen.cells, chosen.feature_group.tolist()) == (3, 3, [0, 1, 2])
    assert chosen.by_column(x) is x
    assert torch.equal(chosen.inverse(x, rounded=True), chosen.inverse(x, rounded=False))
    torch.testing.assert_close(chosen.log_derivatives(x), -scale.log().expand(5, 3))
    torch.testing.assert_close(chosen.log_volume(x), -chosen.log_derivatives(x).sum(1))
    assert sorted(chosen.state_dict()) == ["scale", "shift"]
    assert not chosen.shifted
    assert AffineScaling(scale, scale).shifted
