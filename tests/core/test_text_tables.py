import pytest

from isthmus.core.text_tables import html_text_table, text_table
from isthmus.data.columns import Column, Columns
from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor

TABLES = [
    Columns([Column("<a>", "float", "real", "gaussian", 0.25)]),
    ImputationFloor([ColumnFloor("<a>", "sd", 9, 0.5, {"mean": 1.0, "trees": 0.5}, {"trees": 1.0})]),
]


@pytest.mark.parametrize("table", TABLES, ids=["columns", "floor"])
def test_what_is_printed_and_shown_has_the_same_cells(table):
    lines = table.lines()
    assert repr(table) == text_table(lines)
    assert table._repr_html_() == html_text_table(lines)
    assert "<a>" in repr(table)
    assert "<a>" not in table._repr_html_()


def test_columns_are_as_wide_as_their_widest_cell():
    first, second = text_table([("a", "b"), ("long", "c")]).splitlines()
    assert first.index("b") == second.index("c") == 6
