import re

import pytest

from isthmus.cli.described import described

COMMANDS = {" ".join(command.words): command for command in described()}


def test_groups_are_taken_apart():
    assert {"zoo list", "zoo show", "data list", "data fetch", "train"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does_and_shows_an_example(name):
    text = COMMANDS[name].text
    assert text.splitlines()[0].endswith(".")
    if name != "reproduce":
        assert re.search(rf"Example: .*isthmus ({name}|loans)", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_says_what_it_is_for(name):
    for one in COMMANDS[name].taken:
        assert one.help or one.name in ("then", "name"), one.name


def test_what_is_read_of_an_option():
    train = {one.name: one for one in COMMANDS["train"].taken}
    assert (train["data"].flag, train["data"].required) == ("", True)
    assert (train["as_json"].flag, train["as_json"].off, train["as_json"].type) == ("--json", "", bool)
    assert (train["records"].flag, train["records"].off) == ("--records", "--no-records")
    assert (train["assignments"].flag, train["assignments"].many, train["assignments"].type) == ("--set", True, str)
    assert train["force"].default is False
