import datetime as dt

import openpyxl
import pyarrow as pa
import pytest

from isthmus.data.files import open_file, write_table


@pytest.fixture
def book(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "notes"
    sheet = book.create_sheet("May")
    for row in (
        [],
        ["plate", "area", "day", "n", "flag"],
        ["007", 1.5, dt.datetime(2024, 5, 1), 1, True],
        ["123", "n/a", dt.datetime(2024, 5, 2), "#N/A", False],
        [],
    ):
        sheet.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return path


def test_the_first_sheet_with_rows(book):
    file = open_file(book)
    assert file.data.to_pydict() == {
        "plate": ["007", "123"],
        "area": [1.5, None],
        "day": [dt.datetime(2024, 5, 1), dt.datetime(2024, 5, 2)],
        "n": [1, None],
        "flag": [True, False],
    }
    assert file.found[:2] == ("Excel, sheet 'May', names in the first row", "there are 2 sheets: notes, May")


def test_a_sheet_by_name(book):
    assert open_file(f"{book}::may").rows == 2
    with pytest.raises(ValueError, match="has no sheet 'June'; its sheets are notes, May"):
        open_file(f"{book}::June")
    with pytest.raises(ValueError, match=r"the sheet 'notes' of book.xlsx is empty"):
        open_file(f"{book}::notes")


def test_a_sheet_without_names(book):
    assert open_file(book, header=False).columns[0] == "column_1"


def test_a_damaged_book(tmp_path, book):
    content = book.read_bytes()
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(content[:300] + b"x" * 300 + content[600:])
    with pytest.raises(ValueError, match=r"broken.xlsx"):
        open_file(broken)


def test_text_stays_text_and_is_no_formula(tmp_path):
    table = pa.table(
        {"a": ["=1+1", "007"], "b": [0.1, float("nan")], "c": [dt.datetime(2024, 1, 2, tzinfo=dt.UTC)] * 2}
    )
    path = write_table(table, tmp_path / "a.xlsx")
    assert open_file(path).data.to_pydict() == {
        "a": ["=1+1", "007"], "b": [0.1, None], "c": ["2024-01-02T00:00:00+00:00"] * 2,
    }  # fmt: skip


def test_what_no_sheet_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.data.files.excel.MOST_ROWS", 3)
    with pytest.raises(ValueError, match="which no sheet of Excel holds"):
        write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="a character that Excel does not take"):
        write_table(pa.table({"a": ["\x01"]}), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_formulas_without_results_are_no_gaps(tmp_path):
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, "=A2*2"], [2, "=A3*2"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match=r"column 'b' .* formulas whose results were never stored"):
        open_file(tmp_path / "a.xlsx")
    assert open_file(tmp_path / "a.xlsx", exclude="b").data.to_pydict() == {"a": [1, 2]}
