"""Values of a table as text."""

from isthmus.data.gaps import is_gap

PLAIN = (1e4, 1e7)
"""Floats between these are written without decimals, and without an exponent."""


def shown(value: object) -> str:
    """Return a value as text, floats to four digits at least, a missing cell as "missing".

    >>> shown(0.123456), shown(12345.6), shown(1e9), shown(None)
    ('0.1235', '12346', '1e+09', 'missing')
    """
    if is_gap(value):
        return "missing"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if PLAIN[0] <= abs(value) < PLAIN[1] else f"{value:.4g}"
