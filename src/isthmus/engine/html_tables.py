"""HTML tables for notebooks; every cell is escaped."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table with a head of column names.

    Parameters
    ----------
    head
        The names of the columns.
    rows
        The cells of each row.
    caption
        A line above the table; empty for none.
    """
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    return f"<table>{above}<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def html_pairs(pairs: Iterable[tuple[str, str]], caption: str = "") -> str:
    """Return a table of two columns: the name of each row, and its value."""
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in pairs)
    return f"<table>{above}<tbody>{body}</tbody></table>"
