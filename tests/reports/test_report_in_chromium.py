"""The report in a real browser: no error, no request, sorting and hovering, phone, print, and axe-core's checks."""

import os
from base64 import b64decode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus import AnomalyDetector, AutoEncoder, report, zoo

pytest.importorskip("jinja2")
EVIL = "<script>alert(1)</script>"
AXE = "ISTHMUS_AXE"
"""Names the file axe.min.js, from the package axe-core; without it, its checks are skipped."""


class Found:
    """A finding, as `isthmus.check` gives them."""

    severity, where, number, consequence, mend = "error", EVIL, 0.5, "</script><b>bold</b>", "none"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    random = np.random.default_rng(0)
    z = random.normal(size=300)
    frame = pd.DataFrame(
        {
            EVIL: z,
            "b": -z + 0.1 * random.normal(size=300),
            "c'\"": np.where(z > 0, "</script>", "low"),
            "d" * 90: random.normal(size=300),
            "target": np.where(z > 0.5, EVIL, "other"),
        }
    )
    frame.iloc[3, 1] = np.nan
    X = frame.drop(columns="target")
    ae = AutoEncoder(3, epochs=3, random_state=0).fit(X)
    detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0).fit(X)
    images = random.random((120, 6, 5))
    vae = zoo.variational(latent=2, epochs=1, random_state=0).fit(images)
    return {
        "table": report([ae, detector], frame, folder / "table.html", target="target", findings=[Found()], anomalies=3),
        "images": report(vae, images, folder / "images.html", target=random.normal(size=120)),
    }


@pytest.mark.parametrize("name", ["table", "images"])
def test_it_opens_without_an_error_and_asks_for_nothing(browser, pages, name):
    browser.open(pages[name])
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.files() == [pages[name].as_uri()]
    assert browser.run("document.querySelectorAll('script').length") == 2, "its own, and the plane's data"
    assert browser.run("document.querySelectorAll('b b, figure.plane script ~ script').length") == 0


def test_names_of_columns_are_shown_as_they_are(browser, pages):
    browser.open(pages["table"])
    assert EVIL in browser.run("document.querySelector('#data tbody th').textContent")
    assert "</script><b>bold</b>" in browser.run("document.querySelector('#findings li').textContent")


def test_tables_are_sorted_by_click_and_by_key(browser, pages):
    browser.open(pages["table"])
    names = "[...document.querySelectorAll('#columns tbody th')].map((cell) => cell.textContent)"
    numbers = "[...document.querySelectorAll('#columns tbody tr')].map((row) => Number(row.cells[1].dataset.value))"
    head = "document.querySelectorAll('#columns thead th')"
    before = browser.run(names)
    browser.run(f"{head}[1].querySelector('button').click()")
    assert browser.run(f"{head}[1].getAttribute('aria-sort')") == "descending"
    found = browser.run(numbers)
    assert found == sorted(found, reverse=True)
    browser.run(f"{head}[0].querySelector('button').focus()")
    browser.press(" ", 32)
    assert browser.run(f"[...{head}].map((cell) => cell.getAttribute('aria-sort'))")[:2] == ["ascending", None]
    assert sorted(browser.run(names)) == sorted(before)
    browser.press(" ", 32)
    assert browser.run(f"{head}[0].getAttribute('aria-sort')") == "descending"
    assert browser.complaints() == []


@pytest.mark.parametrize("name", ["table", "images"])
def test_the_row_under_the_pointer_is_told(browser, pages, name):
    browser.open(pages[name])
    browser.run("document.querySelector('.plane svg').scrollIntoView({block: 'center'})")
    script = "(() => {{ const box = document.querySelectorAll('.plane circle')[{}].getBoundingClientRect(); "
    script += "return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
    told = "document.querySelector('.told').textContent"
    seen = set()
    for place in (0, 60, 110):
        browser.move(*browser.run(script.format(place)))
        seen.add(browser.run(told))
        where = "['cx', 'cy'].map((name) => Number({}.getAttribute(name)))"
        here, dot = "document.querySelector('.here')", f"document.querySelectorAll('.plane circle')[{place}]"
        assert browser.run(where.format(here)) == browser.run(where.format(dot))
    assert len(seen) == 3
    thumbs = browser.run("[...document.querySelectorAll('.told .thumb')].map((one) => one.style.backgroundImage[0])")
    assert len(thumbs) == (2 if name == "images" else 0)


def test_rows_are_told_by_the_keyboard_and_classes_are_chosen(browser, pages):
    browser.open(pages["table"])
    told = "document.querySelector('.told').textContent"
    browser.run("document.querySelector('.walk input').focus()")
    before = browser.run(told)
    browser.press("ArrowRight", 39)
    assert browser.run(told) != before
    assert browser.run("document.querySelector('.walk input').getAttribute('aria-valuetext')").startswith("row ")
    browser.run("document.querySelector('.legend button').click()")
    dim = browser.run("document.querySelectorAll('.plane .dim').length")
    assert 0 < dim < browser.run("document.querySelectorAll('.plane circle').length") - 1


@pytest.mark.parametrize("name", ["table", "images"])
def test_a_phone_does_not_scroll_sideways(browser, pages, name):
    browser.open(pages[name], width=390, height=800)
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_it_is_dark_where_the_reader_wants_it_and_white_in_print(browser, pages):
    browser.open(pages["table"], width=700)
    background = "getComputedStyle(document.body).backgroundColor"
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.run(background) == "rgb(20, 24, 28)"
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.run(background) == "rgb(255, 255, 255)"
    browser.ask("Emulation.setEmulatedMedia", media="")
    assert browser.run("document.documentElement.scrollWidth") <= 700, "no table is wider than the paper"
    assert b64decode(browser.ask("Page.printToPDF")["data"])[:4] == b"%PDF"


@pytest.mark.skipif(AXE not in os.environ, reason=f"{AXE} does not name axe-core's file axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["table", "images"])
def test_axe_finds_nothing_serious(browser, pages, name, scheme):
    browser.open(pages[name])
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.run(Path(os.environ[AXE]).read_text(encoding="utf-8"))
    found = browser.run(
        "axe.run().then((result) => result.violations.map((one) => "
        "[one.impact, one.id, one.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary)]))"
    )
    browser.ask("Emulation.setEmulatedMedia", media="")
    assert [one for one in found if one[0] in ("serious", "critical")] == []
    assert found == [], "nor anything less"
