"""HTML tables for notebooks; every cell is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

NUMBER, WORD = "text-align: right", "text-align: left"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of numbers with a head of column names.

    Parameters
    ----------
    head
        The names of the columns.
    rows
        The cells of each row.
    """
    names = "".join(f'<th scope="col" style="{NUMBER}">{escape(name)}</th>' for name in head)
    lines = ("".join(f'<td style="{NUMBER}">{escape(cell)}</td>' for cell in cells) for cells in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def html_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a table of two columns: the name of each row, and its value."""
    body = "".join(
        f'<tr><th scope="row" style="{WORD}">{escape(name)}</th><td style="{WORD}">{escape(value)}</td></tr>'
        for name, value in pairs
    )
    return f"<table><tbody>{body}</tbody></table>"
