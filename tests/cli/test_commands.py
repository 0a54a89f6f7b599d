from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isthmus.cli import commands, verbs


def hello(name: str = "you") -> None:
    """Greet somebody."""
    print(f"hello {name}")


@pytest.fixture
def installed(monkeypatch):
    """Pretend that a package beside isthmus has entry points of these names."""

    def install(*names):
        points = [EntryPoint(name, f"{__name__}:hello", commands.ENTRY_POINTS) for name in names]
        monkeypatch.setattr(EntryPoint, "load", lambda point: hello)
        monkeypatch.setattr(commands, "entry_points", lambda group: points)

    return install


def test_every_file_is_a_command():
    names = [name for name, _ in commands.commands()]
    assert set(names) == {file.stem for file in Path(verbs.__file__).parent.glob("*.py")} - {"__init__"}
    assert names[0] == "overview"
    assert set(commands.ORDER) <= set(names)


def test_other_packages_add_commands(installed):
    installed("hello")
    found = dict(commands.commands())
    assert found["hello"] is hello
    import typer

    app = typer.Typer()
    app.command()(found["hello"])
    ran = CliRunner().invoke(app, ["--name", "isthmus"])
    assert (ran.exit_code, ran.stdout) == (0, "hello isthmus\n")


def test_two_commands_of_one_name_are_refused(installed):
    installed("reproduce")
    with pytest.raises(ValueError, match="there are two commands called 'reproduce'"):
        list(commands.commands())
