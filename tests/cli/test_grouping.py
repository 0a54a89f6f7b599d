import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from isthmus.cli.grouping import with_groups

told = []


@dataclass
class Size:
    width: Annotated[int, typer.Option(help="Across.")]
    height: Annotated[int, typer.Option(min=1)] = 2
    inner: list[int] = field(default_factory=list, init=False)


@dataclass
class Door:
    colour: str = "red"

    def __enter__(self):
        told.append("opened")
        return self

    def __exit__(self, *_):
        told.append("closed")


def area(name: Annotated[str, typer.Argument()], size: Size, times: int = 1) -> None:
    """Print an area."""
    print(name, size.width * size.height * times)


def enter(door: Door) -> None:
    """Enter."""
    told.append(door.colour)
    if door.colour == "broken":
        raise KeyError


def app_of(command):
    app = typer.Typer()
    app.command()(with_groups(command))
    return app


def test_a_group_stands_for_its_options():
    ran = CliRunner().invoke(app_of(area), ["house", "--width", "3", "--times", "5"])
    assert ran.output == "house 30\n"
    assert CliRunner().invoke(app_of(area), ["house"]).exit_code == 2  # --width is needed
    assert CliRunner().invoke(app_of(area), ["house", "--width", "3", "--height", "0"]).exit_code == 2


def test_options_are_in_the_order_of_the_signature():
    assert list(inspect.signature(with_groups(area)).parameters) == ["name", "width", "height", "times"]


def test_documentation_stays():
    assert with_groups(area).__doc__ == "Print an area."
    assert with_groups(area).__name__ == "area"


def test_a_command_without_groups_is_unchanged():
    def plain(n: int = 1) -> None: ...

    assert with_groups(plain) is plain


@pytest.mark.parametrize(("colour", "error"), [("red", None), ("broken", KeyError)])
def test_a_group_is_entered_and_left(colour, error):
    told.clear()
    if error is None:
        with_groups(enter)(colour=colour)
    else:
        with pytest.raises(error):
            with_groups(enter)(colour=colour)
    assert told == ["opened", colour, "closed"]


def test_two_options_of_one_name_are_refused():
    def twice(size: Size, width: int = 1) -> None: ...

    with pytest.raises(ValueError, match="duplicate parameter name: 'width'"):
        with_groups(twice)
