import sys

import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.reports.page import page


def test_without_jinja2_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'isthmus\[report\]'"):
        page("reproduction.html", pictures={})
