"""The benchmarks, of which tests run only parts, import only what isthmus has."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_exists(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "isthmus":
            module = import_module(node.module)
            lost = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert lost == [], f"line {node.lineno}: {node.module} has no {', '.join(lost)}"
