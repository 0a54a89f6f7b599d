"""Columns of text are read as numbers or dates where that is exact, and named otherwise."""

import warnings

import numpy as np
import pytest

from isthmus.data import frame_building, frames
from isthmus.data.fields import Cells, Field
from isthmus.data.number_texts import NumberText
from isthmus.data.text_columns import in_forms, is_written_as_text, text_form, typed

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

VALUES = np.random.default_rng(0).normal(2000, 3000, 60).round(2)
TYPED = {
    "thousands": ([f"{value:,.2f}" for value in VALUES], "float"),
    "comma": ([f"{value:.1f}".replace(".", ",") for value in VALUES], "float"),
    "whole": ([f"{value:.0f}" for value in VALUES], "integer"),
    "dollars": ([f"${abs(value):,.0f}" for value in VALUES], "integer"),
    "percent": ([f"{value / 100:.1f} %" for value in VALUES], "float"),
    "flag": (["0", "1"] * 30, "integer"),
    "gaps": ([f"{value:.2f}" for value in VALUES[:56]] + ["N/A", "-", " ", "null"], "float"),
    "day": ([f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(60)], "time"),
    "moment": ([f"{1 + row % 28}.{1 + row % 12}.2024 12:{row:02d}" for row in range(60)], "time"),
    "instant": ([f"2024-03-31T00:{row:02d}:00+01:00" for row in range(60)], "time"),
}
TEXT = {
    "zip": [f"{row * 97:05d}" for row in range(60)],
    "word": ["red", "green", "blue"] * 20,
    "declared": ["N/A", "-", "?"] * 20,
    "names": [f"A{row}" for row in range(60)],
}
NAMED = {
    "ambiguous": ([f"1,{row + 111}" for row in range(60)], r"two ways: the mark in '1,111' .* thousands=','\) "),
    "mostly": ([*(f"{row}.5" for row in range(57)), *["unknown to us"] * 3], "57 of its 60 values .*errors='coerce'"),
    "mixed": ([*["1.5"] * 30, *["1,5"] * 30], "not all in one way, such as '1,5'"),
    "codes": (["1", "2", "3"] * 20, r"columns=\{'codes': 'category'\} says so"),
    "first": (["03/04/2024", "05/06/2024"] * 30, r"format='%d/%m/%Y'\) or .*format='%m/%d/%Y'\)"),
    "century": (["13/04/24", "25/06/71"] * 30, "does not say the century"),
    "compact": ([f"202403{1 + row % 28:02d}" for row in range(60)], "as dates and as whole numbers"),
    "soon": ([*["2024-03-01"] * 58, "soon", "soon"], r"58 of its 60 .*format='%Y-%m-%d', errors='coerce'\)"),
}


def counts(texts):
    return {text: texts.count(text) for text in texts}


def read(frame, choices=None):
    return typed(*frames.read(frame), choices or {})


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table], ids=lambda make: make.__module__)
def test_columns_are_read_and_come_back(name, make):
    texts, sort = TYPED[name]
    frame = make({"x": texts, "n": VALUES})
    schema, cells = read(frame)
    field = schema.fields[0]
    assert field.sort == sort
    assert is_written_as_text(field)
    assert not is_written_as_text(schema.fields[1])
    assert cells[0].missing.sum() == (4 if name == "gaps" else 0)
    back = frame_building.build(schema, cells, frame)
    assert types_of(back) == types_of(frame)
    assert texts_of(back) == texts[: 60 - cells[0].missing.sum()]


def types_of(frame):
    return frame.dtypes.tolist() if isinstance(frame, pandas.DataFrame) else frame.schema


def texts_of(frame):
    column = frame["x"].to_pylist() if isinstance(frame, pyarrow.Table) else frame["x"].to_list()
    return [text for text in column if isinstance(text, str)]


@pytest.mark.parametrize("name", TEXT)
def test_columns_stay_text_silently(name):
    schema, cells = read(pandas.DataFrame({"x": TEXT[name]}))
    assert schema.fields[0].sort == "text"
    assert cells[0].values.tolist() == TEXT[name]


@pytest.mark.parametrize("name", NAMED)
def test_columns_that_may_be_numbers_are_named_once(name):
    texts, message = NAMED[name]
    with pytest.warns(UserWarning, match=message) as told:
        schema, _ = read(pandas.DataFrame({name: texts}))
    assert len(told) == 1
    assert f"column {name!r} " in str(told[0].message)
    assert (schema.fields[0].sort, schema.fields[0].form) == ("text", None)


@pytest.mark.parametrize("choice", ["category", "ignored"])
def test_what_the_user_says_stays_text(choice):
    for texts, _ in (*TYPED.values(), *NAMED.values()):
        assert text_form("x", counts(texts), choice) is None


def test_what_the_user_says_settles_codes():
    for choice in ("real", "count", "poisson", "ordinal"):
        assert text_form("codes", counts(NAMED["codes"][0]), choice) == NumberText()
    assert text_form("compact", counts(NAMED["compact"][0]), "real") == NumberText()
    assert text_form("whole", counts(TYPED["whole"][0]), "date-time") is None
    assert text_form("day", counts(TYPED["day"][0]), "date-time").pattern == "%Y-%m-%d"


def test_declared_categories_stay_categories():
    schema, _ = read(pandas.DataFrame({"x": pandas.Categorical(TYPED["whole"][0])}))
    assert schema.fields[0].sort == "category"


def in_use(texts, form):
    objects = np.array(texts, dtype=object)
    told = set()
    fields, (cells,) = in_forms(
        [Field("x", "text", "str")], [Cells(objects, np.array([text is None for text in texts]))], [form], told
    )
    return fields[0], cells, told


def test_texts_of_another_form_are_missing_and_named():
    form = text_form("x", counts(TYPED["thousands"][0]))
    with pytest.warns(
        UserWarning, match=r"written like '1,234.00'; 3 texts .* such as '12 EUR', and are taken as"
    ) as told:
        field, cells, names = in_use(["9,999,999.25", "12 EUR", "12 EUR", "many", "N/A", None], form)
    assert len(told) == 1
    assert names == {"x"}
    assert field.sort == "float"
    assert cells.missing.tolist() == [False, True, True, True, True, True]
    assert cells.values[0] == 9_999_999.25
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_forms([Field("x", "text", "str")], [Cells(np.array(["?!"], dtype=object), np.zeros(1, bool))], [form], {"x"})


def test_fractions_and_huge_numbers_in_a_column_of_whole_ones():
    form = text_form("x", counts(TYPED["whole"][0]))
    assert in_use(["1", "2"], form)[0].sort == "integer"
    for text, value in (("2.5", 2.5), ("9" * 25, 1e25)):
        field, cells, _ = in_use(["1", text, None], form)
        assert field.sort == "float"
        assert cells.values[:2].tolist() == [1, value]
        assert np.isnan(cells.values[2])


def test_columns_without_a_form_stay_as_they_are():
    field, cells = Field("x", "integer", "int64"), Cells(np.arange(2), np.zeros(2, dtype=bool))
    assert in_forms([field], [cells], [NumberText()], set()) == ([field], [cells])
    assert in_forms([field], [cells], [None], set()) == ([field], [cells])
