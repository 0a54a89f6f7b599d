"""Retired words stay away from the source, and the glossary names only what exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import isthmus
from isthmus.core.registry import snake_case

PACKAGE = Path(isthmus.__file__).parent
GLOSSARY = Path(__file__).parents[1] / "docs" / "glossary.md"

RETIRED_WORDS = {
    "judge": "validation, validate",
    "judges": "validation, validate",
    "judged": "validation, validate",
    "rehearsal": "dry run",
    "rehearse": "dry run",
    "pilot": "thread tuner",
    "written_out": "fused backward",
    "halve": "bfloat16",
    "halved": "bfloat16",
    "slope": "gradient, derivative",
    "slopes": "gradient, derivative",
    "surprise": "surprisal",
    "owner": "feature group",
    "owners": "feature group",
    "excess": "half deviance",
    "lacking": "deviance ratio",
    "unexplained": "deviance ratio",
    "settles": "warm-up share",
    "marginals": "histogram",
    "early_stopping": "patience",
}
"""Words that no identifier may contain, and the words to use."""
RETIRED_NAMES = {
    "Beginning": "building",
    "Ahead": "Prefetcher",
    "Positions": "LazyIndex",
    "Passes": "ReiterableBatches",
    "Running": "RunningMoments",
    "Room": "workspace, buffers",
    "Rooms": "workspace, buffers",
    "Memory": "workspace, buffers",
    "guard": "rollback",
    "guarded": "rollback",
    "products": "matmul",
    "standing": "column weight",
    "bend": "log-scale constant",
}
"""Whole identifiers that may not occur, and the words to use."""


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every name, attribute, argument, definition, imported module and string key of a file, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ImportFrom(module=module, names=aliases):
                yield from ((node.lineno, name) for name in (module or "").split("."))
                yield from ((node.lineno, alias.asname or alias.name) for alias in aliases)
            case ast.Dict(keys=keys):
                yield from ((key.lineno, key.value) for key in keys if isinstance(key, ast.Constant) and key.value)
            case ast.Subscript(slice=ast.Constant(value=str(name))):
                yield node.lineno, name


def retired(source: str) -> list[str]:
    """Return what a file says in retired words: "line: word; write ..."."""
    found = []
    for line, name in identifiers(ast.parse(source)):
        if name in RETIRED_NAMES:
            found.append(f"{line}: {name}; write {RETIRED_NAMES[name]}")
        words = f"_{snake_case(str(name)).strip('_')}_"
        found += [f"{line}: {name}; write {new}" for old, new in RETIRED_WORDS.items() if f"_{old}_" in words]
    return found


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_no_identifier_uses_a_retired_word(module):
    assert retired((PACKAGE / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_named_by_a_retired_word(module):
    words = re.split(r"[/.]", module)
    assert not {*words} & {*RETIRED_WORDS, *RETIRED_NAMES}


def test_the_walk_finds_retired_words_in_every_place():
    source = (
        "from a.written_out import b\ndef judge_all(x, excess): pass\nclass Pilot: pass\n"
        "f(early_stopping=1)\ny.owner = {'marginals': 1}['unexplained']\nAhead()\n"
    )
    assert [line.split(";")[0] for line in sorted(retired(source))] == [
        "1: written_out", "2: excess", "2: judge_all", "3: Pilot", "4: early_stopping",
        "5: marginals", "5: owner", "5: unexplained", "6: Ahead",
    ]  # fmt: skip
    assert retired("cases = slopeless = 'the owner'\nprefetcher.ahead = 1") == []


def rows() -> list[list[str]]:
    """Return the cells of the glossary's tables, without their heads."""
    lines = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0] != "term" and not set(row[0]) <= set("-: ")]


def test_every_term_has_one_plain_sentence():
    terms = [row[0] for row in rows()]
    assert len(set(terms)) == len(terms) > 50
    assert all(len(row) == 4 and row[1].endswith(".") for row in rows())


@pytest.mark.parametrize("term", RETIRED_WORDS.values())
def test_the_words_to_use_are_in_the_glossary(term):
    listed = " ".join(row[0].lower() for row in rows())
    assert all(word.strip() in listed for word in term.split(",")[:1])


@pytest.mark.parametrize(
    "place", sorted({place for row in rows() for place in re.findall(r"`([a-z_/]+(?:/|\.py))`", row[2])})
)
def test_the_places_in_the_glossary_exist(place):
    assert (PACKAGE / place).exists()
