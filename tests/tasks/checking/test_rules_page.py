import contextlib
import io
import re
from pathlib import Path

from isthmus.tasks.checking import RULES
from isthmus.tasks.checking.rules_page import with_tables

PAGE = Path(__file__).parents[3] / "docs" / "check.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_lists_the_rules_of_today():
    assert with_tables(TEXT) == TEXT, "run python -m isthmus.tasks.checking.rules_page docs/check.md"
    assert all(f"| `{name}` |" in TEXT for name in RULES)


def test_the_code_of_the_page_runs_and_prints_what_it_shows():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    printed, names = io.StringIO(), {}
    before = dict(RULES)
    with contextlib.redirect_stdout(printed):
        exec(compile(blocks[0], str(PAGE), "exec"), names)
    shown = re.search(r"```\n(\d+ warning.*?)```", TEXT, flags=re.DOTALL)
    assert shown is not None
    assert printed.getvalue().strip() == shown[1].strip()
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks[1:]:
            exec(compile(block, str(PAGE), "exec"), names)
    assert before == RULES
