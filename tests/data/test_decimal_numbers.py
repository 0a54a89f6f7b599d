from decimal import Decimal

import pytest

from isthmus.data.decimal_numbers import DecimalNumber, places_of


def test_places():
    assert places_of([]) == 0
    assert places_of([Decimal("1.50"), Decimal("2.125"), Decimal("1E+3"), Decimal("Infinity")]) == 3


@pytest.mark.parametrize("text", ["0.00", "-12.34", "99999.99", "0.10"])
def test_floats_become_the_decimal_numbers_they_were(text):
    assert str(DecimalNumber(2).decimal(float(text))) == text


def test_numbers_stay_within_the_type():
    form = DecimalNumber(2, 4)
    assert [form.decimal(value) for value in (1e9, -1e9, 1.005)] == [
        Decimal("99.99"),
        Decimal("-99.99"),
        Decimal("1.00"),
    ]
    assert DecimalNumber(0).decimal(1e30) == Decimal(10) ** 30
