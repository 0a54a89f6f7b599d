from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from isthmus import AnomalyDetector
from isthmus.reports import anomalies_page, anomalies_section

pytest.importorskip("jinja2")
N = 600
EVIL = "<script>alert('x')</script> & \"quoted\""


class Elements(HTMLParser):
    """Collects tags and texts."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "rect", "line", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def elements(html):
    found = Elements()
    found.feed(html)
    assert not found.open, "every element is closed"
    return found


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    z = random.normal(size=N)
    frame = pd.DataFrame({EVIL: z, "b": -z + 0.1 * random.normal(size=N), "c": np.where(z > 0, EVIL, "low")})
    frame.iloc[5, 1] = 9.0
    frame.iloc[6, 2] = "low" if frame.iloc[6, 2] == EVIL else EVIL
    return frame.set_axis([f"{EVIL} {k}" for k in range(N)], axis=0)


@pytest.fixture(scope="module")
def detector(rows):
    return AnomalyDetector(method="mahalanobis", random_state=0).fit(rows)


def test_a_page_stands_alone_and_escapes_what_is_in_the_table(detector, rows, tmp_path):
    file = anomalies_page(detector, rows, tmp_path / "odd.html", n=20, title=EVIL)
    text = file.read_text(encoding="utf-8")
    found = elements(text)
    tags = [tag for tag, _ in found.tags]
    assert not {"script", "img", "link", "iframe"} & set(tags)
    assert not [attrs for _, attrs in found.tags if "src" in attrs or "href" in attrs]
    assert found.texts.count(EVIL) > 2, "shown as it is"
    assert tags.count("article") == 20
    assert "url(" not in text
    assert "@import" not in text


def test_the_rows_are_those_of_the_report_in_their_order(detector, rows):
    found = elements(anomalies_section(detector, rows, n=7))
    report = detector.report(rows, 7)
    texts = found.texts
    places = [texts.index(f"{k + 1}. {label}") for k, label in enumerate(report.index)]
    assert places == sorted(places)
    odd = [text for text in report["normal_if"] if text != "normal"]
    assert odd
    assert set(odd) <= set(texts)
    assert f"row {report['row'].iloc[0]}" in texts


def test_the_size_is_bounded_whatever_the_table(tmp_path):
    random = np.random.default_rng(1)
    names = [f"{k} {EVIL * 60}" for k in range(8)]
    texts = np.array([EVIL * 40 + str(k) for k in range(40)], dtype=object)
    frame = pd.DataFrame({name: texts[random.integers(0, 40, 3000)] for name in names[:4]})
    frame = frame.assign(**{name: 1e4 * random.normal(size=3000) for name in names[4:]})
    detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0).fit(frame)
    file = anomalies_page(detector, frame, tmp_path / "odd.html", n=200, columns=5)
    assert file.stat().st_size < 3e6
    elements(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["array", "images", "batches", "one row", "gaps"])
def test_other_tables(kind):
    X = np.random.default_rng(2).normal(size=(120, 36))
    if kind == "gaps":
        X[::7, 3] = np.nan
    given = {"images": X.reshape(120, 6, 6), "batches": lambda: iter(np.array_split(X, 5)), "one row": X[:1]}
    detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0)
    detector.fit(given["images"] if kind == "images" else X)
    section = anomalies_section(detector, given.get(kind, X), n=3)
    assert section.count("<article") == (1 if kind == "one row" else 3)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"n": 201}, {"columns": 6}])
def test_more_rows_or_columns_than_a_page_holds_are_refused(detector, rows, wrong):
    with pytest.raises(ValueError, match="so that the page stays small"):
        anomalies_section(detector, rows, **wrong)
