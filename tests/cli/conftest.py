"""The command line as a user runs it, in this process."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from isthmus.cli.main import main

TOWNS = ("north", "south", "east")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run `isthmus` with these words in an empty folder; return the code, and what was printed."""
    monkeypatch.chdir(tmp_path)

    def ran(*words):
        monkeypatch.setattr(sys, "argv", ["isthmus", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err, json=lambda: json.loads(printed.out))

    return ran


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A CSV file of 240 people: an id, three numbers of which two go together, a town, gaps, and a label."""
    random = np.random.default_rng(0)
    n = 240
    income = random.normal(40, 10, n)
    rent = 0.3 * income + random.normal(0, 0.5, n)
    age = random.integers(18, 90, n)
    odd = np.zeros(n, dtype=bool)
    odd[[50, 100, 150]] = True
    rent[odd] += 30
    lines = ["name,income,rent,age,town,odd"]
    for i in range(n):
        gap = i % 20 == 7
        town = TOWNS[int(income[i]) % 3]
        lines.append(f"P{i:03d},{income[i]:.2f},{'' if gap else f'{rent[i]:.2f}'},{age[i]},{town},{int(odd[i])}")
    path = tmp_path_factory.mktemp("people") / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def model(people, tmp_path_factory):
    """A model of these people, trained by the command line."""
    out = tmp_path_factory.mktemp("model") / "people.isthmus"
    words = ["isthmus", "train", people, "--id", "name", "--target", "odd", "--latent", 3, "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(word) for word in [*words, "--set", "epochs=3", "-o", out]])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return out
