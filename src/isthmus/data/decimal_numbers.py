"""Decimal numbers (`decimal.Decimal` and the decimal types of Arrow and polars) from floats."""

from decimal import Context, Decimal
from typing import NamedTuple

EXACT = Context(prec=80)
"""Arithmetic in which no decimal number of a table is rounded by accident."""


class DecimalNumber(NamedTuple):
    """How a column of decimal numbers writes them.

    Examples
    --------
    >>> DecimalNumber(2).decimal(1.255), DecimalNumber(2, 4).decimal(123.0)
    (Decimal('1.26'), Decimal('99.99'))
    """

    places: int
    """Decimal places."""
    digits: int = 0
    """Greatest number of digits that the type of the column allows; 0 for any number."""

    def decimal(self, value: float) -> Decimal:
        """Return the decimal number with these places that is nearest to a float, within the range of the type."""
        unit = Decimal(1).scaleb(-self.places)
        nearest = Decimal(repr(float(value))).quantize(unit, context=EXACT)
        if not self.digits:
            return nearest
        largest = (Decimal(10) ** self.digits - 1).scaleb(-self.places, context=EXACT)
        return max(-largest, min(largest, nearest))


def places_of(values: list[Decimal]) -> int:
    """Return the greatest number of decimal places of finite decimal numbers.

    >>> places_of([Decimal("1.5"), Decimal("2.25"), Decimal("1E+3")])
    2
    """
    exponents = (value.as_tuple().exponent for value in values)
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])
