"""Tables of text: lines of cells, of which the first are headings, printed in columns or as HTML."""

from collections.abc import Sequence
from html import escape


def text_table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in columns.

    >>> print(text_table([("column", "kind"), ("x", "real")]))
    column  kind
    x       real
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def html_text_table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as a table of HTML.

    >>> html_text_table([("column",), ("<x>",)])
    '<table><thead><tr><th>column</th></tr></thead><tbody><tr><td>&lt;x&gt;</td></tr></tbody></table>'
    """
    headings, *rest = lines
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in line)}</tr>" for line in rest)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
