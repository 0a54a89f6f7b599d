import json
import re

import pytest

from isthmus.paper import reproduce


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    lines = []
    path = reproduce(
        tmp_path_factory.mktemp("out") / "new" / "folder", data="digits", epochs=2, seeds=(1, 2), log=lines.append
    )
    return path, lines


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
    assert all({"claim", "holds", "evidence"} == set(claim) for claim in content["claims"])


@pytest.mark.slow
def test_the_report_is_one_file_with_every_figure_inside(report):
    page = report[0].read_text()
    assert not re.search(r"(src|href)=[\"'](?!data:)", page)
    figures = {path.name for path in report[0].parent.glob("*.png")}
    assert {"figure-3.png", "figure-4.png", "figure-5.png", "figure-6.png", "bottleneck.png", "codes.png"} <= figures
    assert page.count("data:image/png;base64,") == len(figures)
    assert [heading[0] for heading in re.findall(r"<h2>(.*?)</h2>", page)] == list("123456")
    assert "±" in page
    assert {path.suffix for path in report[0].parent.iterdir()} == {".png", ".html", ".json"}


@pytest.mark.slow
def test_every_network_is_logged_when_it_is_done(report):
    lines = report[1]
    assert lines[0].startswith("data: digits from scikit-learn, 1442 training and 355 test images")
    assert lines[-1].startswith("report: ")
    assert len(lines) == 2 + 2 * 6 + 6


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
