import sys
from pathlib import Path

import pytest

from isthmus.cli.main import main


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"data": "auto", "epochs": None, "seeds": range(42, 43), "quick": False, "extended": False}),
        (
            ["--seed", "7", "--seeds", "3"],
            {"data": "auto", "epochs": None, "seeds": range(7, 10), "quick": False, "extended": False},
        ),
        (
            ["--data", "mnist-5k", "--epochs", "5", "--quick", "--extended", "--out", "there"],
            {"data": "mnist-5k", "epochs": 5, "seeds": range(42, 43), "quick": True, "extended": True},
        ),
    ],
)
def test_options_reach_the_reproduction(monkeypatch, words, expected):
    calls = []
    monkeypatch.setattr("isthmus.paper.reproduce", lambda out, **options: calls.append((out, options)))
    monkeypatch.setattr(sys, "argv", ["isthmus", "reproduce", *words])
    with pytest.raises(SystemExit):
        main()
    ((out, options),) = calls
    options.pop("log")
    assert options == expected
    assert out == Path("there" if "--out" in words else "reproduction")
