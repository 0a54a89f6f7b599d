import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from isthmus.core.checks import fraction, is_number, no_negative_number, positive_number, whole_number

NO_NUMBERS = [None, "1", True, False, np.True_, np.array(1), [1], 1j, Decimal(1)]


@pytest.mark.parametrize("value", [3, np.int8(3), np.int64(3), np.uint8(3)])
def test_whole_number(value):
    checked = whole_number("epochs", value, 3)
    assert checked == 3
    assert type(checked) is int


@pytest.mark.parametrize("value", [*NO_NUMBERS, 2, -5, 3.0, np.float64(3), math.nan, math.inf])
def test_no_whole_number(value):
    with pytest.raises(ValueError, match=r"^epochs must be a whole number of at least 3; got ") as error:
        whole_number("epochs", value, 3)
    assert str(error.value).endswith(repr(value))


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(2), Fraction(1, 4), 1e-300, 1e300])
@pytest.mark.parametrize("check", [positive_number, no_negative_number])
def test_number(check, value):
    checked = check("scale", value)
    assert checked == value
    assert type(checked) is float


def test_zero():
    assert no_negative_number("scale", 0) == 0
    assert fraction("dropout", 0) == 0
    with pytest.raises(ValueError, match=r"^scale must be a positive number; got 0$"):
        positive_number("scale", 0)


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1, -1e-300, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("check", "expected"), [(positive_number, "a positive number"), (no_negative_number, "a number of at least 0")]
)
def test_no_number(check, expected, value):
    with pytest.raises(ValueError, match=f"^scale must be {expected}; got ") as error:
        check("scale", value)
    assert str(error.value).endswith(repr(value))


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.25), Fraction(3, 4), 1 - 1e-16])
def test_fraction(value):
    checked = fraction("dropout", value)
    assert checked == value
    assert type(checked) is float


@pytest.mark.parametrize("value", [*NO_NUMBERS, 1, 1.0, -0.1, math.nan, math.inf])
def test_no_fraction(value):
    with pytest.raises(ValueError, match=r"^dropout must be a number in \[0, 1\); got ") as error:
        fraction("dropout", value)
    assert str(error.value).endswith(repr(value))


def test_truth_values_are_no_numbers():
    assert is_number(1)
    assert is_number(np.float16(0.5))
    assert is_number(math.nan)
    assert not any(map(is_number, NO_NUMBERS))
