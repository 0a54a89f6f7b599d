from dataclasses import dataclass
from pathlib import Path

import pytest

import isthmus
from isthmus.core import registry
from isthmus.core.contract import Part
from isthmus.reports.api_page import Entry, api_page, areas_of, first_sentence, public_entries, section

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_page_is_current():
    current = PAGE.read_text(encoding="utf-8")
    assert current == api_page(), "run python -m isthmus.reports.api_page docs/api.md"


@pytest.mark.parametrize("entry", public_entries(), ids=lambda entry: entry.name)
def test_every_public_name_has_a_first_sentence(entry):
    assert entry.sentence.endswith((".", "?")), entry.sentence
    assert len(entry.sentence.split()) >= 3


@pytest.mark.parametrize("name", isthmus.__all__)
def test_every_public_name_is_on_the_page(name):
    assert f"| `{name}` |" in api_page()


def test_a_registered_part_is_listed_under_its_slot_with_its_name(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", {})

    @registry.register("likelihood", "penalty", name="sharp")
    class Sharp(Part):
        """A part for p(x|z). It is sharp."""

    assert areas_of(Sharp) == ["parts for `likelihood=`", "parts for `penalty=`"]
    table = section("isthmus: parts for `likelihood=`", [Entry("Sharp", Sharp)])
    assert r'| `Sharp` | `"sharp"` | A part for p(x\|z). |' in table


def test_a_generated_docstring_is_none():
    @dataclass
    class Point:
        x: int

    assert first_sentence(Point) == ""
