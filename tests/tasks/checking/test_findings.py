import json

import pytest

from isthmus import Finding, Findings

WORDS = ("it tells nothing of a row", "leave it out of X")
NOTE = Finding("constant-column", "note", "column 'x'", "all cells are 0", 9.0, *WORDS, ("x",))
WARNING = Finding("spelling", "warning", "column 'y'", "two spellings", 2.0, *WORDS, ("y",), (3, 4))
ERROR = Finding("refused", "error", "", "there are no rows", 0.0, *WORDS)
ALL = Findings([NOTE, ERROR, WARNING], "9 rows")


def test_findings_are_sorted_by_severity():
    assert [found.severity for found in ALL] == ["error", "warning", "note"]
    assert ALL.worst == "error"
    assert Findings().worst == ""


@pytest.mark.parametrize(("severity", "count"), [("error", 1), ("warning", 2), ("note", 3)])
def test_at_least_keeps_a_severity_and_worse_ones(severity, count):
    kept = ALL.at_least(severity)
    assert len(kept) == count
    assert kept.looked_at == "9 rows"


def test_an_unknown_severity_is_refused():
    with pytest.raises(ValueError, match="did you mean 'warning'"):
        ALL.at_least("warnings")


def test_findings_are_a_sequence():
    assert ALL[0] is ERROR
    assert ALL[1:] == Findings([WARNING, NOTE])
    assert hash(ALL[1:]) == hash(Findings([WARNING, NOTE]))
    assert NOTE in ALL
    assert ALL.by_rule("spelling")[0] is WARNING


def test_a_finding_reads_as_sentences():
    assert str(ERROR) == "There are no rows. It tells nothing of a row. Leave it out of X."
    assert str(NOTE).startswith("column 'x': all cells are 0.")


def test_dictionaries_hold_everything_and_are_json():
    plain = json.loads(json.dumps(ALL.to_dicts()))
    assert [Finding(**{**one, "columns": tuple(one["columns"]), "rows": tuple(one["rows"])}) for one in plain] == list(
        ALL
    )


def test_the_frame_has_a_row_per_finding_and_its_columns_without_any():
    assert ALL.to_frame()["rule"].tolist() == ["refused", "spelling", "constant-column"]
    assert list(Findings().to_frame().columns) == list(ALL.to_frame().columns)


def test_the_printed_table_has_every_word_and_fits_a_terminal():
    text = str(ALL)
    assert text.splitlines()[0] == "1 error, 1 warning, 1 note on 9 rows"
    assert max(map(len, text.splitlines())) <= 125
    for found in ALL:
        assert all(word.lower() in text.lower() for word in found.number.split())
    assert str(Findings(looked_at="9 rows")) == "no findings on 9 rows"


def test_html_is_escaped():
    odd = Finding("spelling", "note", "column '<script>'", "two <b>", 1.0, *WORDS)
    html = Findings([odd], "1 row")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
