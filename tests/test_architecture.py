"""Each floor imports only from those before it, and `import isthmus` costs next to nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import isthmus

PACKAGE = Path(isthmus.__file__).parent
FLOORS = {
    "core": 0,
    "parts": 1,
    "data": 2,
    "engine": 3,
    "estimators": 4,
    "zoo": 5,
    "tasks": 6,
    "reports": 7,
    "paper": 8,
    "cli": 9,
}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
DECLARING = ("core", "parts", "engine", "estimators", "tasks")
"""Folders in which contracts declare what objects can do; data/ meets objects of other libraries."""
LONGEST = 350
LONGER = {
    "estimators/autoencoder.py": "documents every parameter and method of the main estimator",
    "tasks/anomaly/detector.py": "documents every parameter and method of the detector",
}
ROOT_ALLOWED = {
    "estimators/model_file.py": "looks up by name, when it loads, the estimator that a file says it holds",
    "estimators/kinds.py": "looks up by name the estimator or preset that a recipe names",
}


def imported(path: Path) -> list[tuple[int, str]]:
    """Every module that a file imports, wherever in the file and for whatever purpose: (line, dotted name)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write isthmus.… instead"
            # `from isthmus.engine import devices` may mean the module isthmus.engine.devices: the same floor.
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.split(".")[0] == "isthmus"]


def file_edges() -> dict[str, set[str]]:
    """Which files each file imports, anywhere in it and for whatever purpose: {module path: module paths}."""
    names = {dotted(module): module for module in MODULES}
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        wanted = {name for _, name in imported(PACKAGE / module)}
        # `from isthmus.engine.trainer import Plan` means the module isthmus.engine.trainer.
        wanted |= {name.rpartition(".")[0] for name in wanted}
        found = {names[name] for name in wanted if name in names} - {module}
        # A package's file is imported with every module in it; that alone closes no circle.
        edges[module] = {path for path in found if not path.endswith("__init__.py")}
    return edges


def dotted(module: str) -> str:
    return ".".join(("isthmus", *Path(module).with_suffix("").parts)).removesuffix(".__init__")


def circles(edges: dict[str, set[str]]) -> set[frozenset[str]]:
    """Files that import each other, directly or around: strongly connected components of more than one."""
    reached = {start: reachable(edges, start) for start in edges}
    groups = {
        frozenset(other for other in edges if other in reached[file] and file in reached[other]) for file in edges
    }
    return {group for group in groups if len(group) > 1}


def reachable(edges: dict[str, set[str]], start: str) -> set[str]:
    seen, waiting = set(), [start]
    while waiting:
        for file in edges[waiting.pop()] - seen:
            seen.add(file)
            waiting.append(file)
    return seen


def test_no_two_files_import_each_other():
    assert circles(file_edges()) == set()


def test_circles_are_found():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": set()}
    assert circles(edges) == {frozenset("abc")}


def floor(module: str) -> int:
    folder = module.split("/")[0]
    assert folder in FLOORS, f"{module} is on no known floor"
    return FLOORS[folder]


@pytest.mark.parametrize("module", [module for module in MODULES if module not in ("__init__.py", "__main__.py")])
def test_no_import_goes_up(module):
    own = floor(module)
    for line, name in imported(PACKAGE / module):
        _, *rest = name.split(".")
        if rest == ["__version__"]:
            continue
        if not rest:
            assert module in ROOT_ALLOWED, f"{module}:{line} imports isthmus itself, and with it every floor"
            continue
        home = next((home for home, names in isthmus.HOMES.items() if rest[0] in names), name)
        target = home.split(".")[1]
        assert floor(target) <= own, f"{module}:{line} (floor {own}) imports {name} (floor {floor(target)})"


def test_the_walk_finds_imports_in_every_place(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "import isthmus.data as data, json\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from isthmus.engine import Trainer, History\n"
        "def f():\n    def g():\n        import isthmus\n"
        "class C:\n    from isthmus import load\n"
    )
    names = {name for _, name in imported(file)}
    assert names == {"isthmus.data", "isthmus.engine.Trainer", "isthmus.engine.History", "isthmus", "isthmus.load"}


def test_every_package_has_an_init():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def run(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_import_does_not_import_torch():
    run("import isthmus, sys; assert not {'torch', 'sklearn', 'scipy', 'numpy'} & set(sys.modules), 'heavy import'")


def test_public_names_load_torch_only_when_asked_for():
    run(
        "import isthmus, sys; dir(isthmus), isthmus.__version__; assert 'torch' not in sys.modules; "
        "isthmus.AutoEncoder; assert 'torch' in sys.modules"
    )


@pytest.mark.parametrize("name", isthmus.__all__)
def test_public_names_resolve(name):
    assert getattr(isthmus, name).__name__ == name


def test_public_names_are_the_ones_with_a_home():
    assert sorted(isthmus.__all__) == sorted(name for names in isthmus.HOMES.values() for name in names)
    assert len(set(isthmus.__all__)) == len(isthmus.__all__)


def test_dir_and_version():
    assert set(dir(isthmus)) == {*isthmus.__all__, "__version__"}
    assert isthmus.__version__.count(".") == 2


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'isthmus' has no attribute 'AutoEncodr'"):
        isthmus.AutoEncodr  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from isthmus import nothing  # noqa: F401


def test_star_import_gives_the_public_names():
    names: dict[str, object] = {}
    exec("from isthmus import *", names)
    assert {name for name in names if name[0] != "_"} == set(isthmus.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_long(module):
    lines = len((PACKAGE / module).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or module in LONGER


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.startswith(("core", "parts", "engine", "estimators", "tasks"))]
)
def test_nothing_is_asked_by_hasattr(module):
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "hasattr"]


def test_estimators_have_no_bases_of_our_own():
    for name in ("AutoEncoder", "AnomalyDetector", "Imputer"):
        bases = getattr(isthmus, name).__mro__[1:]
        assert not [base for base in bases if base.__module__.startswith("isthmus")]
