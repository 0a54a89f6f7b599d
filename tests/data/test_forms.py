import json

import numpy as np
import pytest

from isthmus.data.decimal_numbers import DecimalNumber
from isthmus.data.fields import Cells, Field
from isthmus.data.forms import form_of, plain_form, written
from isthmus.data.number_texts import NumberText
from isthmus.data.time_texts import TimeText

FORMS = [NumberText("$#", "($#)", ".", ",", 2, 2), TimeText("%d.%m.%Y", "D"), DecimalNumber(2, 10)]


@pytest.mark.parametrize("form", [None, *FORMS], ids=repr)
def test_forms_are_json(form):
    assert form_of(json.loads(json.dumps(plain_form(form)))) == form


@pytest.mark.parametrize(
    ("form", "texts"), list(zip(FORMS, [["$1,234.00", None], ["19.05.1973", None], ["1234.00", None]], strict=True))
)
def test_cells_are_written_as_their_column_writes_them(form, texts):
    cells = Cells(np.array([1234, 0]), np.array([False, True]))
    field, found = written(Field("x", "integer", "str", form=form), cells)
    assert [None if value is None else str(value) for value in found.values] == texts
    assert field.sort == ("integer" if isinstance(form, DecimalNumber) else "text")


def test_other_cells_stay_as_they_are():
    field, cells = Field("x", "integer", "int64"), Cells(np.arange(2), np.zeros(2, dtype=bool))
    assert written(field, cells) == (field, cells)
    nothing = Field("x", "nothing", "str", form=FORMS[0])
    assert written(nothing, cells) == (nothing, cells)
