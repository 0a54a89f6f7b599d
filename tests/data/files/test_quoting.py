import pytest

from isthmus.data.files.quoting import broken_quote, uneven_row


@pytest.mark.parametrize(
    "lines",
    [['a,b\n', '"x, y","say ""hi"""\n'], ['"two\n', 'lines",1\n'], ['5" pipe,it\'s\n'], ['"",1\n', '"a"\r\n']],
)  # fmt: skip
def test_sound_marks_pass(lines):
    assert broken_quote(lines, ",", '"') is None


def test_a_mark_that_is_never_closed_is_found():
    fault = broken_quote(["a,b\n", '1,"x\n', "2,y\n"], ",", '"')
    assert (fault.line, fault.column, fault.what) == (2, 3, "is never closed")


def test_text_after_a_closing_mark_is_found():
    fault = broken_quote(["a,b\n", '"x" y,1\n'], ",", '"')
    assert (fault.line, fault.column) == (2, 3)


def test_rows_of_another_length_are_found_with_their_line():
    lines = ["a,b\n", '"two\n', 'lines",1\n', "2\n", "3,4\n"]
    fault = uneven_row(lines, ",", '"', 2, 1)
    assert (fault.line, fault.what) == (4, "1 cells")
    assert uneven_row(lines[:3], ",", '"', 2, 1) is None
