"""Columns of text that are numbers or dates: read as such where that is exact and there is one way, or named.

In `fit`, `typed` finds out how each column of text writes its numbers or dates (its *form*); in use, `in_forms` reads
the columns by the forms that are known. What cannot be read is a missing cell then, and a warning says so.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from isthmus.data.columns import kind_of_choice
from isthmus.data.fields import Cells, Field, Form, Name, Schema
from isthmus.data.gaps import is_gap_text
from isthmus.data.number_texts import Finding, NumberText, number_form, parts
from isthmus.data.time_texts import ZEROS, TimeFinding, TimeText, shape_of, time_form, zone_name

FEW = 20
"""Text of whole numbers with at most this many values, which occur repeatedly, is taken for codes of categories."""
LOOKED_AT = 500
"""Texts that are looked at first, to pass over columns of words quickly."""

TextForm = NumberText | TimeText


def typed(schema: Schema, cells: Sequence[Cells], choices: Mapping[Name, str]) -> tuple[Schema, list[Cells]]:
    """Return a table with the columns of text that are numbers or dates read as such; warn of those that may be.

    Parameters
    ----------
    schema, cells
        The table.
    choices : mapping
        What the user says about columns, by name. A column that is said to be a category stays text.
    """
    forms: list[Form | None] = [
        text_form(field.name, text_counts(piece), choices.get(field.name)) if field.sort == "text" else None
        for field, piece in zip(schema.fields, cells, strict=True)
    ]
    fields, cells = in_forms(schema.fields, cells, forms, set())
    return schema._replace(fields=tuple(fields)), cells


def is_written_as_text(field: Field) -> bool:
    """Whether a column is text, also if numbers or dates are read from it."""
    return field.sort in ("text", "category") or isinstance(field.form, NumberText | TimeText)


def text_counts(cells: Cells) -> Counter[str]:
    """Count how often each text of a column occurs."""
    return Counter(cells.values[~cells.missing].tolist())


def in_forms(
    fields: Sequence[Field], cells: Sequence[Cells], forms: Sequence[Form | None], told: set[Name]
) -> tuple[list[Field], list[Cells]]:
    """Read the columns of text by the forms that are known, in the same order; None leaves a column as it is.

    Texts that have another form become missing cells. A warning says so, once for each column that is not in `told`.
    """
    found = [
        in_form(*column, form, told)
        if isinstance(form, NumberText | TimeText) and column[0].sort in ("text", "category")
        else column
        for column, form in zip(zip(fields, cells, strict=True), forms, strict=True)
    ]
    return [field for field, _ in found], [piece for _, piece in found]


def in_form(field: Field, cells: Cells, form: TextForm, told: set[Name]) -> tuple[Field, Cells]:
    """Read a column of text by its form."""
    counts = text_counts(cells)
    known = {text: read(form, text) for text in counts}
    unread = [text for text, value in known.items() if value is None and not stands_for_gap(form, text)]
    if unread and field.name not in told:
        told.add(field.name)
        warn_unread(field.name, form, unread[0], sum(counts[text] for text in unread))
    missing = cells.missing.copy()
    seen = np.flatnonzero(~missing)
    values = [known[text] for text in cells.values[seen].tolist()]
    missing[seen] = [value is None for value in values]
    sort, dtype = kind_of_numbers(form, values)
    numbers = np.zeros(len(missing), dtype=dtype)
    numbers[~missing] = [value for value in values if value is not None]
    if sort == "float":
        numbers[missing] = np.nan
    return formed(field, form, sort), Cells(numbers, missing)


def formed(field: Field, form: TextForm, sort: str) -> Field:
    """Return the field of a column of text that is read by its form."""
    if isinstance(form, TimeText):
        return field._replace(sort=sort, form=form, unit=form.unit, zone=zone_name(form), levels=())
    return field._replace(sort=sort, form=form, levels=())


def read(form: TextForm, text: str) -> int | float | None:
    """Return the number, or the ticks, that a text stands for; None if it has another form or is a gap."""
    if not isinstance(text, str) or stands_for_gap(form, text):
        return None
    return form.ticks(text) if isinstance(form, TimeText) else form.value(text)


def stands_for_gap(form: TextForm, text: str) -> bool:
    """Whether a text stands for a missing cell."""
    return is_gap_text(text) or (isinstance(form, TimeText) and text.strip() in ZEROS)


def kind_of_numbers(form: TextForm, values: Sequence[int | float | None]) -> tuple[str, type[np.generic]]:
    """Return the sort of a column of these values, and numpy's type for them."""
    if isinstance(form, TimeText):
        return "time", np.int64
    whole = form.whole and all(value is None or value == int(value) for value in values)
    if not whole or any(value is not None and abs(value) >= 2**63 for value in values):
        return "float", np.float64
    return "integer", np.int64


def text_form(name: Name, counts: Mapping[str, int], choice: str | None = None) -> TextForm | None:
    """Return how a column of text writes numbers or dates; None if it does not, or in no one way.

    Parameters
    ----------
    name
        Of the column, for warnings.
    counts : mapping
        How often each text occurs.
    choice : str, optional
        What the user says about the column.
    """
    wanted = None if choice is None else kind_of_choice(choice)
    if wanted in ("category", "ignored") or not may_be_read(counts):
        return None
    times = TimeFinding(None) if wanted not in (None, "date-time", "ordinal") else time_form(counts)
    numbers = Finding(None) if wanted == "date-time" else number_form(counts)
    if times.form is not None:
        return times.form
    values = sum(count for text, count in counts.items() if not is_gap_text(text))
    if 2 * times.readable > values and wanted != "ordinal":
        warn_of_times(name, times, values)
        return None
    if wanted is None and numbers.form is not None and are_codes(counts, numbers.form):
        warn_of_codes(name, counts)
        return None
    if numbers.form is None and 2 * numbers.readable > values and numbers.problem != "codes" and wanted != "ordinal":
        warn_of_numbers(name, numbers, values)
    return numbers.form


def may_be_read(counts: Mapping[str, int]) -> bool:
    """Whether a good part of the most frequent texts of a column look like numbers or dates."""
    often = Counter(counts).most_common(LOOKED_AT)
    alike = sum(count for text, count in often if parts(text) is not None or shape_of(text) is not None)
    return 4 * alike > sum(count for text, count in often if not is_gap_text(text))


def are_codes(counts: Mapping[str, int], form: NumberText) -> bool:
    """Whether whole numbers as text are codes of categories: few, without marks and signs, each several times.

    Zeros and ones are no codes: as numbers they are the same two categories.
    """
    texts = [text for text in counts if not is_gap_text(text)]
    return (
        len(texts) <= FEW
        and 2 * len(texts) <= sum(counts[text] for text in texts)
        and all(text.strip().isdigit() for text in texts)
        and not {text.strip() for text in texts} <= {"0", "1"}
    )


def warn_of_codes(name: Name, counts: Mapping[str, int]) -> None:
    """Warn that whole numbers are taken for categories."""
    texts = sorted((text for text in counts if not is_gap_text(text)), key=int)
    warn(
        f"column {name!r} holds whole numbers as text ({', '.join(map(repr, texts[:3]))}), few of them, and is taken "
        f"for a category; if they are amounts, give pandas.to_numeric(X[{name!r}]) or columns={{{name!r}: 'real'}}, if "
        f"they are codes, columns={{{name!r}: 'category'}} says so"
    )


def warn_of_numbers(name: Name, found: Finding, values: int) -> None:
    """Warn that a column is taken as text though most of its values read as numbers."""
    whys = {
        "some": f"{found.readable} of its {values} values read as numbers, others do not, such as {found.example!r}",
        "mixed": f"it reads as numbers, but not all in one way, such as {found.example!r}",
        "ambiguous": f"it reads as numbers in two ways: the mark in {found.example!r} may stand between thousands, or "
        "before decimals",
    }
    mark = "," if "," in found.example else "."
    calls = {
        "some": f"pandas.to_numeric(X[{name!r}], errors='coerce') makes numbers of it, and gaps of the others",
        "mixed": f"write all of them alike, and make numbers of them with pandas.to_numeric(X[{name!r}])",
        "ambiguous": f"read the file with pandas.read_csv(..., thousands={mark!r}) or with decimal={mark!r}, or give "
        f"pandas.to_numeric(X[{name!r}].str.replace({mark!r}, '')) or the same with '.' for {mark!r}",
    }
    warn(f"column {name!r} is taken as text: {whys[found.problem]}; {calls[found.problem]}")


def warn_of_times(name: Name, found: TimeFinding, values: int) -> None:
    """Warn that a column is taken as text though most of its values read as dates."""
    calls = " or ".join(f"pandas.to_datetime(X[{name!r}], format={call!r})" for call in found.calls)
    if found.problem == "some":
        why = f"{found.readable} of its {values} values read as dates, and others do not, such as {found.example!r}"
        calls = calls.replace(")", ", errors='coerce')")
    elif len(found.calls) > 1:
        why = f"it reads as dates in two ways: in {found.example!r} the day or the month may come first"
    elif "%y" in found.calls[0]:
        why = f"it reads as dates, but {found.example!r} does not say the century"
    else:
        why = f"it reads as dates and as whole numbers, such as {found.example!r}"
        calls += f" or pandas.to_numeric(X[{name!r}])"
    warn(f"column {name!r} is taken as text: {why}; give {calls}")


def warn_unread(name: Name, form: TextForm, example: str, count: int) -> None:
    """Warn that texts are taken as missing because they have another form than in `fit`."""
    model = form.text(1234 if isinstance(form, NumberText) else 0)
    kind = "numbers" if isinstance(form, NumberText) else "dates"
    warn(
        f"column {name!r} held {kind} as text in fit, written like {model!r}; {count} texts are written otherwise, "
        f"such as {example!r}, and are taken as missing; write them alike, or make {kind} of the column first"
    )


def warn(message: str) -> None:
    """Warn the user."""
    warnings.warn(message, UserWarning, stacklevel=2)
