"""What a search shows of itself."""

import xml.etree.ElementTree as ElementTree

import pytest

from isthmus.tasks.tuning.trial_plot import trial_plot
from isthmus.tasks.tuning.tuning import Tuning
from isthmus.tasks.tuning.verdict import Verdict


def row(number, state="complete", value=0.5, note="", **parameters):
    done = state == "complete"
    return {
        "trial": number,
        "state": state,
        "value": value,
        "behind": value - 0.25 if done else None,
        "standard_error": 0.01 if done else None,
        "latent": 2 if done else None,
        "weights": 1000 if done else None,
        "seconds": 1.0,
        "parameters": parameters,
        "note": note,
    }


TABLE = [
    row(0, note="defaults"),
    row(1, value=0.25, hidden=(8,), learning_rate=0.0012345),
    row(2, "pruned", 0.7, hidden=(16,)),
    row(3, "failed", None, note="ValueError: <no>", hidden=(4,)),
]


def tuning(wins=True, table=TABLE):
    verdict = Verdict("error", 0.25, 0.5, 0.25, 0.01 if wins else 1.0, 100, 99, True)
    kind = {"objective": "error", "measure": "error <of> rows", "rows": "rows held out", "interrupted": False}
    return Tuning(table, 1, 1, verdict, {"hidden": (8,)}, object(), importance={"hidden": 0.75}, **kind)


def test_the_best_trial_is_printed_first_and_failures_last():
    lines = repr(tuning()).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["1", "0", "2", "3"]
    assert "hidden=(8,), learning_rate=0.001234" in lines[1]
    assert lines[1].endswith("chosen")
    assert "4 trials (2 complete, 1 pruned, 1 failed) in 4.0 s" in lines[-2]
    assert lines[-1].startswith("tuned wins")


def test_the_defaults_that_stand_have_no_parameters():
    assert tuning().best_params_ == {"hidden": (8,)}
    assert tuning(wins=False).best_params_ == {}
    assert tuning(wins=False).tuned_params == {"hidden": (8,)}


def test_long_tables_are_cut():
    assert "and 6 more" in repr(tuning(table=[*TABLE, *(row(n, value=1.0 + n) for n in range(4, 31))]))


def test_the_page_is_whole_and_escaped(tmp_path):
    text = tuning().to_html(tmp_path / "tuning.html").read_text(encoding="utf-8")
    assert "&lt;no&gt;" in text
    assert "<no>" not in text
    assert "<of>" not in text
    assert "hidden</td><td>0.75" in text
    body = text[text.index("<body>") : text.index("</html>")]
    ElementTree.fromstring(body)


def test_a_frame_has_a_column_per_parameter():
    pytest.importorskip("pandas")
    frame = tuning().to_frame()
    assert list(frame["hidden"]) == [None, (8,), (16,), (4,)]
    assert "parameters" not in frame
    assert len(tuning()) == len(list(tuning())) == 4


def test_the_plot_marks_what_was_chosen():
    pytest.importorskip("matplotlib")
    ax = tuning().plot()
    assert ax.get_xlabel() == "trial"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["chosen", "defaults", "trials"]


@pytest.mark.parametrize("table", [TABLE, TABLE[:1], [*TABLE, row(4, value=1e9)]])
def test_the_drawing_has_a_dot_per_complete_trial_within_its_frame(table):
    found = ElementTree.fromstring(trial_plot(table, 0, "error"))
    circles = found.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == sum(one["state"] == "complete" for one in table)
    assert all(0 <= float(circle.get("cy")) <= 220 for circle in circles)
