import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

from isthmus import AnomalyDetector, AutoEncoder, Imputer, report, zoo
from isthmus.reports import registration
from isthmus.reports.registration import SECTIONS, Content, section, sections
from isthmus.reports.report import MOST_ANOMALIES

pytest.importorskip("jinja2")
EVIL = "<script>alert(1)</script>\"'&"
VOID = ("meta", "link", "img", "input", "br")
N = 240
KINDS = {"when": "date-time"}
ALWAYS = {"data", "making"}
OF_AUTOENCODERS = {"training", "floor", "reconstructions", "columns", "codes", "health"}


class Page(HTMLParser):
    """The elements of a page, and its texts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def sections(self):
        return {attrs["id"] for tag, attrs in self.elements if tag == "section"}


def made(folder, model, X, **options):
    """Make a report, and look at what every page must hold to."""
    path = report(model, X, folder / "report.html", **options)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert path.stat().st_size < 3e6
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    assert {link[1:] for link in links} <= set(ids)
    addresses = [value for _, attrs in page.elements for name, value in attrs.items() if name in ("src", "href")]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert all("scope" in attrs for tag, attrs in page.elements if tag == "th")
    assert "@import" not in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    return page


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    z = random.normal(size=N)
    columns = {
        EVIL: z,
        "twin": 2 * z + 0.1 * random.normal(size=N),
        "name": np.where(z > 0, EVIL, "low"),
        "often": random.poisson(3, N),
        "when": pd.date_range("2024-01-01", periods=N, freq="h"),
    }
    made = pd.DataFrame(columns)
    made.iloc[::7, 1] = np.nan
    made.iloc[5, 0] = 40.0
    return made


@pytest.fixture(scope="module")
def ae(frame):
    return AutoEncoder(3, hidden=(8,), epochs=3, columns=KINDS, random_state=0).fit(frame)


@pytest.fixture(scope="module")
def detector(frame):
    detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, columns=KINDS, random_state=0)
    return detector.fit(frame)


def test_an_autoencoder_and_a_detector_share_a_page(frame, ae, detector, tmp_path):
    page = made(tmp_path, [ae, detector], frame, target=frame["often"] > 3, title=EVIL, source="a b.csv")
    assert page.sections() == ALWAYS | OF_AUTOENCODERS - {"floor"} | {"probe", "anomalies"} | (
        {"floor"} if ae.fitted_model().record.floor is not None else set()
    )
    assert EVIL in page.texts
    assert page.texts.count(EVIL) > 5, "as it is, wherever it stands"
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert [attrs.get("type") for attrs in scripts] == ["application/json", None]
    assert "'a b.csv'" in page.text, "quoted for a command line"
    assert "40 , expected" in page.text
    assert f"{N} rows" in page.text


def test_a_detector_alone_has_what_it_can_have(frame, detector, tmp_path):
    page = made(tmp_path, detector, frame, anomalies=2)
    assert page.sections() == ALWAYS | {"anomalies"}
    assert sum(tag == "article" for tag, _ in page.elements) == 2
    assert str(detector.decision_) in page.text


def test_an_imputer_shows_what_fills_gaps(frame, tmp_path):
    imputer = Imputer(AutoEncoder(2, hidden=(8,), epochs=2), members=1, columns=KINDS, random_state=0).fit(frame)
    page = made(tmp_path, imputer, frame)
    assert page.sections() == ALWAYS | {"training", "gaps"}
    filled = imputer.transform(frame)["twin"]
    assert f"{filled.iloc[0]:.4g}" in page.texts, "the first row has a gap"
    assert f"{-(-N // 7)} cells" in page.text


def test_a_variational_one_makes_up_rows(frame, tmp_path):
    vae = zoo.variational(latent=2, hidden=(8,), epochs=2, random_state=0).fit(frame[["twin", "name"]])
    page = made(tmp_path, vae, frame[["twin", "name"]])
    assert "samples" in page.sections()
    assert {"Made-up rows", "Real rows"} <= {*page.texts}


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (70, 2)])
def test_images_are_shown_as_images(shape, tmp_path):
    images = np.random.default_rng(0).random((60, *shape))
    vae = zoo.variational(latent=3, hidden=(8,), epochs=1, random_state=0).fit(images)
    detector = AnomalyDetector(method="histogram", calibration_fraction=None, random_state=0).fit(images)
    page = made(tmp_path, [vae, detector], images, anomalies=2)
    pictures = [attrs["alt"] for tag, attrs in page.elements if tag == "img"]
    assert len(pictures) == 2 + 2 + 1 + 1 + 1 + 2
    assert all(pictures)
    flat = AutoEncoder(2, hidden=(8,), epochs=1, random_state=0).fit(images.reshape(60, -1))
    page = made(tmp_path, flat, images.reshape(60, -1), image_shape=shape)
    assert sum(tag == "img" for tag, _ in page.elements) == 6


def test_counts_are_shown_by_name(tmp_path):
    random = np.random.default_rng(0)
    X = scipy.sparse.csr_matrix(random.poisson(0.3, (80, 230)))
    ae = AutoEncoder(2, hidden=(8,), likelihood="poisson", epochs=1, random_state=0).fit(X)
    page = made(tmp_path, ae, X)
    assert "are not zero" in page.text
    assert "And 30 more columns." in page.texts
    assert "230 × count : whole numbers that count something" in page.text


@pytest.mark.filterwarnings("ignore:column 1 is ignored")
@pytest.mark.parametrize("kind", ["one code", "array", "constant", "polars", "gaps only", "two rows"])
def test_odd_tables_and_models(kind, frame, tmp_path):
    X = np.random.default_rng(0).normal(size=(120, 4))
    latent, rows = 2, slice(None)
    if kind == "one code":
        latent = 1
    elif kind == "constant":
        X[:, 1] = 3.0
    elif kind == "gaps only":
        X[:, 1] = np.nan
    elif kind == "two rows":
        rows = slice(2)
    elif kind == "polars":
        X = pl.DataFrame(frame[["twin", "name"]])
    ae = AutoEncoder(latent, hidden=(8,), epochs=1, random_state=0).fit(X)
    target = None if kind == "polars" else np.random.default_rng(1).normal(size=120)[rows]
    made(tmp_path, ae, X[rows], target=target)


@pytest.fixture(scope="module")
def folder(frame, tmp_path_factory):
    made = tmp_path_factory.mktemp("parquet")
    for k in range(3):
        frame.assign(label=[f"label {j}" for j in range(N)]).iloc[80 * k : 80 * k + 80].to_parquet(
            made / f"{k}.parquet"
        )
    return made


def test_a_source_is_sampled_and_that_is_told(folder, ae, detector, tmp_path):
    page = made(tmp_path, [ae, detector], folder, rows=50, target="name", ids="label", anomalies=3)
    assert "240 rows, of which 50 drawn at random were looked at for this page" in page.text
    assert re.search(r"1\. label \d", page.text)
    assert "was trained on this column, too" in page.text


def test_columns_that_the_model_does_not_know_are_targets_and_labels(frame, ae, tmp_path):
    X = frame.assign(label=[f"label {k}" for k in range(N)], known=np.arange(N) % 3)
    page = made(tmp_path, ae, X, target="known", ids="label")
    assert "predicts “known” from them" in page.text
    assert "The model has never seen this column." in page.text
    assert re.search(r"label \d+ typical error", page.text)


def test_findings_come_first_and_are_escaped(frame, ae, tmp_path):
    class Found:
        severity, where, number, consequence, mend = "error", EVIL, 0.25, f"it {EVIL}", "drop it"

    page = made(tmp_path, ae, frame, findings=[Found()] * 70)
    assert "1. What to look at first" not in page.text
    assert f"error , {EVIL} (0.25): it {EVIL} — What to do: drop it" in page.text
    assert "And 10 more." in page.texts
    assert f"finding{'s'}; the worst: it {EVIL}" in page.text


def test_the_size_is_bounded_whatever_is_in_the_table(tmp_path):
    random = np.random.default_rng(1)
    wild = "<" * 100
    frame = pd.DataFrame(
        {f"{k}{wild}": np.array([f"{wild}{j}" for j in range(3)])[random.integers(0, 3, 1200)] for k in range(9)}
    )
    ae = AutoEncoder(2, hidden=(4,), epochs=1, random_state=0).fit(frame)
    page = made(tmp_path, ae, frame, ids=[wild] * 1200, title=wild, files=[wild], source=wild)
    assert sum(tag == "circle" for tag, _ in page.elements) > 100


def test_how_it_was_made_is_told_to_the_last_parameter(frame, ae, tmp_path):
    page = made(tmp_path, ae, frame, files=["my model.isthmus"])
    assert {*ae.get_params(deep=False)} <= {*page.texts}
    assert "isthmus encode 'my model.isthmus'" in page.text
    assert repr(ae.fitted_model().likelihood) in page.texts or "Mixed(" in page.text
    python = next(text for text in page.texts if text.startswith("from isthmus import load"))
    compile(python, "page", "exec")


def test_a_section_of_ones_own_is_on_the_page(frame, ae, tmp_path, monkeypatch):
    sections()
    monkeypatch.setattr(registration, "SECTIONS", dict(SECTIONS))

    @section("own", order=1, title="Mine")
    def own(context):
        return Content(f"<p>{context.model.latent} numbers</p>", (registration.Tile("77", "of mine"),))

    page = made(tmp_path, ae, frame)
    assert "own" in page.sections()
    assert "3 numbers" in page.texts
    assert "77" in page.texts


def test_what_cannot_be_reported_is_refused_and_nothing_is_written(frame, ae, detector, tmp_path):
    path = tmp_path / "report.html"
    with pytest.raises(NotFittedError):
        report(AutoEncoder(), frame, path)
    for wrong, message in [
        ((3, frame), "must be a fitted AutoEncoder"),
        (([], frame), "list of models is empty"),
        (([ae, ae], frame), "several of AutoEncoder"),
        ((ae, frame[["twin"]]), "columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            report(*wrong, path)
    for options, message in [
        ({"rows": 1}, "rows"),
        ({"anomalies": MOST_ANOMALIES + 1}, "so that the page stays small"),
        ({"image_shape": (2, 2)}, "makes 4 pixels, and rows have 5 columns"),
        ({"target": "nothing"}, "no column 'nothing'"),
        ({"ids": [1, 2]}, "ids must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            report(ae, frame, path, **options)
    with pytest.raises(FileNotFoundError, match="create it first"):
        report(ae, frame, tmp_path / "nowhere" / "report.html")
    with pytest.raises(IsADirectoryError, match=r"report\.html"):
        report(ae, frame, tmp_path)
    assert list(tmp_path.iterdir()) == []
