import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from isthmus.data.files.text_types import TextColumns
from isthmus.data.reading import learn_table


def read(*blocks, decimal=None, as_written=frozenset(), whole_only=frozenset()):
    """Read blocks of one column of text, in as many passes as they need."""
    types = TextColumns(("x",), as_written, whole_only, decimal)
    for _ in range(3):
        found = [types.converted(pa.table({"x": pa.array(block, pa.string())})) for block in blocks]
        if types.settled():
            whole = pa.concat_tables(found)
            return whole["x"].to_pylist(), str(whole["x"].type), types
    raise AssertionError


@pytest.mark.parametrize(
    ("texts", "values", "kind"),
    [
        (["1", "", "-3"], [1, None, -3], "int64"),
        (["1.5", "2", ".5", "1e3", "+5"], [1.5, 2, 0.5, 1000, 5], "double"),
        (["0.5", "0", "-0.25", "0.0"], [0.5, 0, -0.25, 0], "double"),
        (["007", "123"], ["007", "123"], "string"),
        (["1.5", "007"], ["1.5", "007"], "string"),
        (["0170123456", "01801234"], ["0170123456", "01801234"], "string"),
        (["+49 170", "555-12"], ["+49 170", "555-12"], "string"),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"], "string"),
        (["1234567890123456789", "1"], ["1234567890123456789", "1"], "string"),
        (["0x10", "16"], ["0x10", "16"], "string"),
        (["1", "n/a", "NA", "-", " "], [1, None, None, None, None], "int64"),
        (["1.5", "nan", "inf"], [1.5, None, float("inf")], "double"),
        (["1,5", "2", "1.234,5"], [1.5, 2, 1234.5], "double"),
        (["0,234", "1,234"], [0.234, 1.234], "double"),
        (["1,234", "12,345"], ["1,234", "12,345"], "string"),
        (["1,234.5", "2"], ["1,234.5", "2"], "string"),
        (["True", "false", ""], [True, False, None], "bool"),
        (["None", "a", "NA"], ["None", "a", "NA"], "string"),
        (["2024-02-28", ""], [dt.date(2024, 2, 28), None], "date32[day]"),
        (["2024-02-28 10:00:00"], [dt.datetime(2024, 2, 28, 10)], "timestamp[s]"),
        (["2024-02-30"], ["2024-02-30"], "string"),
        (["28.2.2024"], ["28.2.2024"], "string"),
        (["", ""], [None, None], "null"),
        (["n/a", ""], [None, None], "null"),
        ([" 1", "2 "], [1, 2], "int64"),
    ],
)
def test_types_of_columns(texts, values, kind):
    assert read(texts)[:2] == (values, kind)
    for cut in range(1, len(texts)):
        assert read(texts[:cut], texts[cut:])[:2] == (values, kind), "wherever the blocks are cut"


def test_a_decimal_comma_in_one_column_is_one_in_all():
    types = TextColumns(("a", "b", "c"), frozenset(), frozenset(), None)
    block = pa.table({"a": ["1,5", "2"], "b": ["1,234", "5,678"], "c": ["1.234", "12.000"]})
    while True:
        found = types.converted(block)
        if types.settled():
            break
    assert found.to_pydict() == {"a": [1.5, 2], "b": [1.234, 5.678], "c": [1234, 12000]}
    assert types.found_decimal == ","


def test_the_user_says_what_commas_are():
    assert read(["1,234"], decimal=",")[0] == [1.234]
    assert read(["1,5"], decimal=".")[0] == ["1,5"]
    assert read(["1.5"], decimal=",")[0] == ["1.5"]


def test_columns_that_stay_as_written():
    assert read(["1", "n/a", ""], as_written=frozenset("x"))[0] == ["1", "n/a", None]
    assert read(["1.50", "2"], whole_only=frozenset("x"))[0] == ["1.50", "2"]
    assert read(["1", "2"], whole_only=frozenset("x"))[0] == [1, 2]


def test_gap_words_are_told():
    assert read(["1", "n/a", "n/a"])[2].gap_words() == ["column 'x': 'n/a' read as missing (2 cells)"]
    assert read(["1"], ["2.5", "n/a"])[2].gap_words() == ["column 'x': 'n/a' read as missing (1 cells)"]
    assert read(["a", "n/a"])[2].gap_words() == []


@pytest.mark.parametrize("texts", [["1,5", "2,25"], ["3", "n/a"], ["2.5", "null"]])
def test_values_are_those_that_the_library_reads_in_text(texts):
    typed, _, _ = read(texts * 10)
    both = [pa.table({"x": pa.array(typed)}), pa.table({"x": texts * 10})]
    found = [learn_table(table, caller="test", columns={"x": "real"})[0].drawn(slice(0, 20)) for table in both]
    np.testing.assert_array_equal(*found)
