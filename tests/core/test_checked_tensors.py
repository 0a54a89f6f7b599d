import pytest
import torch

from isthmus.core.checked_tensors import checked

TENSORS = {"a": torch.tensor([1.0, 2.0]).double(), "nan": torch.tensor([torch.nan]).double(), "n": torch.arange(3)}


@pytest.mark.parametrize(
    ("name", "shape", "settings", "message"),
    [
        ("b", (None,), {}, "'b' is missing"),
        ("a", (3,), {}, r"must have the shape \(3\); got \(2\)"),
        ("a", (None, 2), {}, r"must have the shape \(any, 2\); got \(2\)"),
        ("a", (), {}, r"must have the shape \(\)"),
        ("n", (3,), {}, r"must be of torch\.float64; got torch\.int64"),
        ("nan", (1,), {}, "must be finite"),
        ("a", (2,), {"least": 1.5}, "at least 1.5"),
        ("a", (2,), {"most": 1.5}, "at most 1.5"),
    ],
)
def test_what_is_refused(name, shape, settings, message):
    with pytest.raises(ValueError, match=message):
        checked(TENSORS, name, shape, **settings)


def test_what_is_returned():
    assert checked(TENSORS, "a", (None,), least=1, most=2) is TENSORS["a"]
    assert checked(TENSORS, "n", (3,), (torch.int32, torch.int64)) is TENSORS["n"]
    assert checked(TENSORS, "nan", (1,), finite=False, least=0) is TENSORS["nan"]
