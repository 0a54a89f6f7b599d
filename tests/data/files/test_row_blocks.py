import io

import pytest

from isthmus.data.files import row_blocks as module
from isthmus.data.files.row_blocks import DoubtfulQuotesError, end_of_rows, row_blocks

ROWS = b'1,"a\nb"\n2,"say ""hi"""\n3,c\n4,""\n'


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
def test_blocks_hold_whole_rows_however_the_text_is_cut(size, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", size)
    blocks = list(row_blocks(io.BytesIO(ROWS), ",", '"', "a.csv"))
    assert b"".join(blocks) == ROWS
    assert all(block.count(b'"') % 2 == 0 and block.endswith(b"\n") for block in blocks)


def test_the_last_row_needs_no_line_feed():
    assert list(row_blocks(io.BytesIO(b"1\n2"), ",", '"', "a.csv")) == [b"1\n", b"2\n"]
    assert list(row_blocks(io.BytesIO(b""), ",", '"', "a.csv")) == []


@pytest.mark.parametrize("text", [b'1,"a\n2,b\n', b'1,"a"b\n', b'5" pipe,1\n', b'1,"a\n2,"b",c\n'])
def test_marks_within_cells_are_doubtful(text):
    with pytest.raises(DoubtfulQuotesError):
        list(row_blocks(io.BytesIO(text), ",", '"', "a.csv"))


def test_rows_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 10)
    monkeypatch.setattr(module, "LONGEST", 100)
    with pytest.raises(ValueError, match="has a row of more than"):
        list(row_blocks(io.BytesIO(b"1" * 1000), ",", "", "a.csv"))


def test_without_quotes_every_line_ends_a_row():
    assert end_of_rows(b'1,"a\nb', "") == 5
