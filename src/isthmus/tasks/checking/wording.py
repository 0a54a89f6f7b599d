"""Figures in words."""

from collections.abc import Iterable

import numpy as np

MOST_SHOWN = 3


def percent(share: float) -> str:
    """Return a share as a percentage with two digits, and more where it is nearly all or nearly nothing.

    >>> percent(0.5), percent(0.0312), percent(0.0004), percent(0.9996)
    ('50 %', '3.1 %', '0.04 %', '99.96 %')
    """
    if 0.995 <= share < 1:
        return f"{min(100 * share, 99.99):.2f}".rstrip("0") + " %"
    text = f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.0f}"
    return f"{text} %"


def number(value: float) -> str:
    """Return a value of the data with few digits; whole numbers in full.

    >>> number(-999.0), number(0.12345678), number(1e9)
    ('-999', '0.123457', '1,000,000,000')
    """
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def examples(values: Iterable[object], most: int = MOST_SHOWN) -> str:
    """Return the first few values, quoted as Python writes them.

    >>> examples(["a", "b", "c", "d"])
    "'a', 'b', 'c', ..."
    """
    shown = list(values)
    told = [number(float(v)) if isinstance(v, float | np.floating) else repr(v) for v in shown[:most]]
    return ", ".join([*told, *["..."] * (len(shown) > most)])


def of(part: int, whole: int, what: str = "rows") -> str:
    """Return a part of a whole in words.

    >>> of(3, 150)
    '3 of 150 rows (2 %)'
    """
    return f"{part:,} of {whole:,} {what} ({percent(part / max(whole, 1))})"
