import json
import re
from html import unescape
from xml.etree import ElementTree

import pytest

from isthmus.paper import reproduce
from isthmus.paper.report import REPOSITORY

FORBIDDEN = re.compile(
    r"\d(\.\d+)?e[+-]\d|\b1 (epochs|images|seconds|numbers|units)\b|-\d|ISTHMUS_DATA>|\bNone\b|\bnan\b|\binf\b|\d%"
)
"""What no number on a page looks like: 0e+00, 1 epochs, -0.1, <ISTHMUS_DATA>, None, 57%."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    lines = []
    path = reproduce(
        tmp_path_factory.mktemp("out") / "new" / "folder", data="digits", epochs=2, seeds=(1, 2), log=lines.append
    )
    return path, lines


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return reproduce(tmp_path_factory.mktemp("quick"), data="digits", quick=True, log=lambda _: None).read_text()


def visible(page):
    """The text that a reader sees, without what checks of the library say, which is theirs to write."""
    page = re.sub(
        r"<h3>What the checks say.*?</ul>|<(style|script|code)\b.*?</\1>|<math.*?</math>", " ", page, flags=re.S
    )
    return unescape(re.sub(r"<[^>]*>", " ", page))


@pytest.mark.slow
def test_the_results_have_the_promised_shape(report):
    content = json.loads((report[0].parent / "results.json").read_text())
    assert set(content) == {"data", "runs", "claims"}
    names = [run["name"] for run in content["runs"]]
    assert names.count("paper-sigmoid-mse") == names.count("isthmus-4") == 2
    assert {"pca-4", "bottleneck-1", "bottleneck-pca-32"} <= set(names)
    for run in content["runs"]:
        assert {"architecture", "likelihood", "init", "epochs", "seed", "seconds", "dead_outputs", "psnr"} <= set(run)
        assert len(run["train_loss"]) == max(run["epochs"], 1)
        assert 0 < run["test_mse"] < 0.5
        assert run["test_bce"] > 0
        assert run["explained_variance"] < 1
    assert all({"claim", "source", "holds", "verdict", "evidence"} == set(claim) for claim in content["claims"])
    assert {claim["source"] for claim in content["claims"]} == {"paper", "isthmus"}


@pytest.mark.slow
def test_the_report_is_one_file_with_every_figure_inside(report):
    page = report[0].read_text()
    links = re.findall(r"(?:src|href)=[\"']((?!data:|#)[^\"']*)", page)
    assert links
    assert all(link.startswith(REPOSITORY) for link in links)
    figures = {path.name for path in report[0].parent.glob("*.png")}
    assert {"figure-3.png", "figure-6.png", "bottleneck.png", "codes-isthmus.png", "size-8.png"} <= figures
    headings = re.findall(r'<h2 id="(.*?)">(\d+)\. (.*?)</h2>', page)
    assert [number for _, number, _ in headings] == list("1234567")
    assert re.findall(r'<li><a href="#(.*?)">(.*?)</a></li>', page) == [(name, title) for name, _, title in headings]
    assert "±" in page
    assert {path.suffix for path in report[0].parent.iterdir()} == {".png", ".html", ".json"}


@pytest.mark.slow
def test_figures_are_numbered(report):
    numbers = re.findall(r"<b>Figure (\d+)( of the paper)?\.</b>", report[0].read_text())
    assert [int(number) for number, of_paper in numbers if of_paper] == [2, 3, 4, 5, 6]
    own = [int(number) for number, of_paper in numbers if not of_paper]
    assert own == list(range(7, 7 + len(own)))


@pytest.mark.slow
def test_every_equation_is_typeset_beside_what_is_tested(report):
    page = report[0].read_text()
    formulas = re.findall(r"<math.*?</math>", page, flags=re.S)
    assert len(formulas) == page.count("<b>Tested:</b>") == 7
    for number, formula in enumerate(formulas, start=1):
        assert ElementTree.fromstring(formula).attrib["display"] == "block"
        assert f"<span>({number})</span>" in page


@pytest.mark.slow
def test_measures_are_explained_where_they_are_first_used(report):
    text = " ".join(visible(report[0].read_text()).split())
    assert text.index("PSNR") == text.index("PSNR, the peak signal-to-noise ratio")
    assert text.index("BCE") == text.index("Binary cross-entropy (BCE)") + len("Binary cross-entropy (")
    assert text.index("MSE") == text.index("The mean squared error (MSE)") + len("The mean squared error (")


@pytest.mark.slow
def test_the_page_is_whole_without_its_script(report):
    page = report[0].read_text()
    body = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert body.count('class="size"') == len(list(report[0].parent.glob("size-*.png"))) == 6
    hidden = re.findall(r"<(\w+) class=\"([^\"]*)\"[^>]* hidden>", body)
    assert {name for _, name in hidden} == {"slider", "told soft"}
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    assert len(script) < 4096
    assert not re.search("https?:|fetch|import", script)


@pytest.mark.slow
def test_every_network_is_logged_when_it_is_done(report):
    lines = report[1]
    assert lines[0].startswith("data: digits from scikit-learn, 1,442 training and 355 test images")
    assert lines[-1].startswith("report: ")
    assert len(lines) == 2 + 2 * 6 + 6


@pytest.mark.slow
def test_a_quick_run_judges_nothing(quick):
    verdicts = re.findall(r'<div class="verdict">(.*?)</div>', quick)
    assert len(verdicts) == 10
    assert set(verdicts) == {"not judged: 3 epochs", "not judged: a quick run"}
    assert "✓" not in quick
    assert not re.search(r"\d of \d+</b>", quick)


@pytest.mark.slow
def test_numbers_are_written_in_one_way(quick, report):
    for page in (quick, report[0].read_text()):
        assert not FORBIDDEN.search(re.sub(r"\d+(-\d+)+|PCA-\d+", "", visible(page)))


def test_a_folder_that_cannot_be_written_fails_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.paper.reproduction.load_dataset", lambda *_, **__: pytest.fail("loaded data"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match=r"cannot write the report to the folder .*file/report.*choose another folder"):
        reproduce(tmp_path / "file" / "report")
    with pytest.raises(OSError, match="cannot write the report"):
        reproduce(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        reproduce(tmp_path)
    assert list(tmp_path.iterdir()) == []
