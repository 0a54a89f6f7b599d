"""The walk of docs/command-line.md, command by command, on the first rows of its file, or on rows like them."""

import csv
import io
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
ROWS = 160


def commands():
    """Return the lines of the blocks of commands."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def without_most_columns(lines):
    """Return lines of a table as text, every fifth column and the named ones alone, so that the walk takes seconds."""
    named = [lines[0].index(name) for name in ("issue_month", "loan_status")]
    kept = sorted({*range(2, len(lines[0]), 8), *named})
    text = io.StringIO()
    csv.writer(text).writerows([line[place] for place in kept] for line in lines)
    return text.getvalue()


def loans():
    """Return the first lines of loans.csv, or lines of as many loans that are made here."""
    file = Path(os.environ.get("ISTHMUS_DATA", "nowhere")) / "tables" / "loans.csv"
    if file.exists():
        with file.open(encoding="utf-8", newline="") as lines:
            return without_most_columns([line for line, _ in zip(csv.reader(lines), range(ROWS + 1), strict=False)])
    random = np.random.default_rng(0)
    lines = ["state,annual_income,emp_length,grade,interest_rate,loan_amount,installment,issue_month,loan_status"]
    for i in range(ROWS):
        grade = random.integers(5)
        amount = random.integers(1, 40) * 1000
        length = "" if i % 9 == 0 else f"{random.integers(11)}.0"
        rate = 6 + 4 * grade + random.normal()
        state = ("IL", "NJ", "WI", "CA")[random.integers(4)]
        month = ("Jan-2018", "Feb-2018", "Mar-2018")[i % 3]
        money = f"{random.lognormal(11, 0.5):.1f},{length},{'ABCDE'[grade]},{rate:.2f},{amount},{amount / 30:.2f}"
        lines.append(f"{state},{money},{month},{'Current' if i % 12 else 'Fully Paid'}")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_walk(run, tmp_path):
    (tmp_path / "loans.csv").write_text(loans(), encoding="utf-8")
    assert len(commands()) > 12
    for command in commands():
        line, _, target = command.partition(" > ")
        words = shlex.split(line)
        assert words[0] == "isthmus"
        ran = run(*words[1:])
        assert ran.code == 0, f"{command}: {ran.err}"
        if target:
            (tmp_path / target.strip()).write_text(ran.out, encoding="utf-8")
    written = {path.name for path in tmp_path.iterdir()}
    assert {
        "loans.html",
        "codes.parquet",
        "odd.csv",
        "odd.html",
        "whole.csv",
        "best.isthmus",
        "vae.history.csv",
    } <= written
    for name in ("vae", "again"):
        assert (tmp_path / f"{name}.isthmus").exists()
