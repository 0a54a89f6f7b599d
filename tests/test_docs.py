"""The documentation: links lead somewhere, and code blocks are valid and import public names."""

import ast
import re
from pathlib import Path

import pytest

import isthmus

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PENDING_PAGES = {"extending.md"}
"""Pages that are linked but not written yet."""
PENDING_NAMES = {"load_dataset"}
"""Names that the documentation uses and `isthmus` does not export yet."""


def blocks(page: Path) -> list[str]:
    """Return the Python code blocks of a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def headings(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if file.name in PENDING_PAGES:
            continue
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


# The code in design.md shows signatures without bodies.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "design.md"], ids=lambda page: page.name)
def test_code_blocks_are_valid_and_import_public_names(page):
    public = {*isthmus.__all__, "zoo", *PENDING_NAMES}
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "isthmus":
                assert {alias.name for alias in node.names} <= public, block
