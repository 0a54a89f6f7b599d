import json
import warnings

import numpy as np

from isthmus.cli.telling import Telling


def test_notes_go_to_standard_error_and_the_result_to_standard_output(capsys):
    with Telling() as telling:
        telling.note("looking")
        telling.result({"n": 1}, "found 1")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("found 1\n", "looking\n")


def test_quiet(capsys):
    with Telling(quiet=True) as telling:
        telling.notes(["looking", "still"])
        warnings.warn("odd", UserWarning, stacklevel=1)
        telling.result({"n": 1}, lambda: "found 1")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("found 1\n", "")


def test_json_holds_the_warnings_once(capsys):
    with Telling(as_json=True) as telling:
        for _ in range(2):
            warnings.warn("odd\n  value", UserWarning, stacklevel=1)
        telling.note("looking")
        telling.result({"n": np.int64(1), "x": np.array([1.5])}, "found 1")
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"n": 1, "x": [1.5], "warnings": ["odd value"]}
    assert printed.err == ""


def test_a_warning_is_a_sentence(capsys):
    with Telling():
        warnings.warn("the column 'id' numbers the rows", UserWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: the column 'id' numbers the rows\n"


def test_a_result_beside_data_is_a_note(capsys):
    with Telling() as telling:
        telling.result({"rows": 3}, "3 rows", aside=True)
    assert capsys.readouterr() == ("", "3 rows\n")


def test_what_was_before_is_put_back():
    before = warnings.showwarning
    with Telling():
        assert warnings.showwarning != before
    assert warnings.showwarning is before
