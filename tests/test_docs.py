"""The documentation: links lead somewhere, code blocks are valid, and the pages on extending and on files run."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import isthmus

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNNING = [ROOT / "docs" / f"{name}.md" for name in ("check", "extending", "files", "format", "records", "report")]
"""The pages whose code runs, from top to bottom."""


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
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


# The code in design.md shows signatures without bodies.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "design.md"], ids=lambda page: page.name)
def test_code_blocks_are_valid_and_import_public_names(page):
    public = {*isthmus.__all__, "zoo"}
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "isthmus":
                assert {alias.name for alias in node.names} <= public, block


def script(page: Path) -> str:
    """Return the Python code of a page, each line at its place in the page, so that an error names that line."""
    kept, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside, line = line == "```python", ""
        kept.append(line if inside else "")
    return "\n".join(kept)


def test_a_script_keeps_the_lines_of_its_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n```python\na = 1\n```\ntext\n```toml\nb = 2\n```\n```python\nc = 3\n```\n")
    assert script(page).split("\n") == ["", "", "a = 1", "", "", "", "", "", "", "c = 3", ""]


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, tmp_path):
    """It runs in a process of its own, since what it registers stays registered."""
    file = tmp_path / "page.py"
    file.write_text(script(page), encoding="utf-8")
    # It trains for a few epochs, which need not reach principal components.
    few = (
        "the network does not reach principal components",
        "the principal components are returned",
        "the reconstruction says no more than the mean row",
    )
    ignored = [word for message in few for word in ("-W", f"ignore:{message}")]
    command = [sys.executable, "-W", "error", *ignored, file.name]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
