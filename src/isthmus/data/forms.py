"""Cells as their column writes them: numbers and times as text, and decimal numbers; and forms from model files."""

from collections.abc import Sequence

import numpy as np

from isthmus.core.choices import refuse_unknown
from isthmus.core.typed_json import typed
from isthmus.data.decimal_numbers import DecimalNumber
from isthmus.data.fields import Cells, Field, Form
from isthmus.data.number_texts import NumberText
from isthmus.data.time_texts import TimeText

MOST_PLACES = 60
"""Decimal places, and digits, of the numbers of a form in a file, at most."""
FORMS = (NumberText, TimeText, DecimalNumber)
"""What `Form` may be."""


def written(field: Field, cells: Cells) -> tuple[Field, Cells]:
    """Return a column as it is written in its table: with text in place of the numbers or times it was read as.

    Examples
    --------
    >>> field = Field("x", "integer", "str", form=NumberText("$#", "-$#", thousands=","))
    >>> written(field, Cells(np.array([1234, 0]), np.array([False, True])))[1].values.tolist()
    ['$1,234', None]
    """
    form = field.form
    if form is None or field.sort == "nothing":
        return field, cells
    write = form.decimal if isinstance(form, DecimalNumber) else form.text
    values = np.empty(len(cells.missing), dtype=object)
    seen = ~cells.missing
    values[seen] = [write(value) for value in cells.values[seen].tolist()]
    if isinstance(form, DecimalNumber):
        return field, Cells(values, cells.missing)
    return field._replace(sort="text", form=None, unit="", zone=None), Cells(values, cells.missing)


def plain_form(form: Form | None) -> list[object] | None:
    """Return a form as a list that JSON can hold: the name of its class, then its fields."""
    return None if form is None else [type(form).__name__, *form]


def form_of(saved: Sequence[object] | None) -> Form | None:
    """Undo `plain_form`; a `ValueError` says what is no form."""
    if saved is None:
        return None
    name, *values = saved
    kinds: dict[str, type[Form]] = {kind.__name__: kind for kind in FORMS}
    refuse_unknown("form", name, kinds)
    kind = kinds[str(name)]
    form = typed(kind, dict(zip(kind._fields, values, strict=False)))
    if any(isinstance(value, int) and not 0 <= value <= MOST_PLACES for value in form):
        raise ValueError(f"no numbers are written with these places: {form}")
    return form
