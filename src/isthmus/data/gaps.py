"""What stands for a missing cell, among Python objects and among texts."""

import math
from decimal import Decimal

import numpy as np

GAP_TEXTS = frozenset(
    (
        *("", "-", "--", "---", "–", "—", ".", "..", "...", "?", "*", "#N/A", "#NA", "#N/A N/A", "#NULL!", "#VALUE!"),
        *("#DIV/0!", "#REF!", "na", "n/a", "<na>", "n.a.", "nan", "-nan", "nat", "nil", "none", "null", "missing"),
    )
)
"""What files write in place of a number or a date that is not known; words in lower case."""


def is_gap(cell: object) -> bool:
    """Whether a Python object stands for a missing cell.

    None, NaN (of float, numpy and Decimal), pandas' NA and NaT, and numpy's masked constant do.
    """
    if cell is None or cell is np.ma.masked:
        return True
    if isinstance(cell, float | np.floating):
        return bool(cell != cell)
    if isinstance(cell, Decimal):
        return math.isnan(cell)
    return type(cell).__name__ in ("NAType", "NaTType")


def is_gap_text(text: str) -> bool:
    """Whether a text stands for a missing number or date, such as "", "N/A", "-" or "null".

    Words that a category may be called by do so only where the other values of the column are numbers or dates.

    >>> is_gap_text(" N/A "), is_gap_text("0")
    (True, False)
    """
    if text[:1].isdigit():
        return False
    text = text.strip()
    return text in GAP_TEXTS or text.lower() in GAP_TEXTS
