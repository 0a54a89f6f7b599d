from pathlib import Path

import pytest

from isthmus.cli.described import described
from isthmus.cli.help_page import help_page

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == help_page(), "run python -m isthmus.cli.help_page"


@pytest.mark.parametrize("command", list(described()), ids=lambda command: " ".join(command.words))
def test_every_command_and_every_option_of_it_are_on_the_page(command):
    page = help_page()
    assert f"## {' '.join(command.words)}\n" in page
    for one in command.taken:
        assert one.flag in page
