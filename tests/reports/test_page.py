import sys
from pathlib import Path

import jinja2
import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.reports.page import address, page


def test_without_jinja2_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'isthmus\[report\]'"):
        page(Path("any"), "any.html")


def test_pictures_are_embedded_and_content_is_escaped(tmp_path):
    (tmp_path / "template.html").write_text('<img src="{{ address(png) }}">{{ text }}')
    made = page(tmp_path, "template.html", png=b"png", text="1 < 2")
    assert made == '<img src="data:image/png;base64,cG5n">1 &lt; 2'
    assert address(b"png") in made


def test_templates_include_others_of_their_folder(tmp_path):
    (tmp_path / "template.html").write_text("<style>{% include 'style.css' %}</style>")
    (tmp_path / "style.css").write_text("a > b { color: red }")
    assert page(tmp_path, "template.html") == "<style>a > b { color: red }</style>"


def test_an_undefined_name_is_an_error(tmp_path):
    (tmp_path / "template.html").write_text("{{ missing }}")
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        page(tmp_path, "template.html")
