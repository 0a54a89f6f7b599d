import pytest

from isthmus.reports import registration
from isthmus.reports.registration import SECTIONS, Content, section, sections


@pytest.fixture
def kept(monkeypatch):
    sections()
    monkeypatch.setattr(registration, "SECTIONS", dict(SECTIONS))


def test_sections_of_isthmus_are_found_in_their_order():
    found = sections()
    names = [one.name for one in found]
    assert names[:3] == ["findings", "data", "training"]
    assert names[-1] == "making"
    assert {"floor", "reconstructions", "columns", "codes", "probe", "anomalies", "gaps", "samples", "health"} < {
        *names
    }
    assert [one.order for one in found] == sorted(one.order for one in found)


def test_a_section_of_ones_own_has_its_place(kept):
    @section("own", order=42, title="Mine")
    def own(context):
        return Content("<p>mine</p>")

    names = [one.name for one in sections()]
    assert names.index("reconstructions") < names.index("own") < names.index("columns")


def test_other_packages_add_sections_by_an_entry_point(kept, monkeypatch):
    class Entry:
        def load(self):
            section("theirs", order=0, title="Theirs")(lambda context: None)

    monkeypatch.setattr(registration, "entry_points", lambda group: [Entry()] if "report" in group else [])
    assert sections()[0].name == "theirs"


def test_two_sections_of_one_name_are_refused(kept):
    with pytest.raises(ValueError, match=r"called 'data' already, in isthmus.reports.sections.columns"):
        section("data", order=1, title="Other")(lambda context: None)
