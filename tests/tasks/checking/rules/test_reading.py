import numpy as np
import pandas as pd
import pytest

from isthmus import check
from isthmus.tasks.checking.rules.reading import KNOWN
from isthmus.tasks.checking.taking import learned

RNG = np.random.default_rng(0)
ROWS = 120
HOURS = pd.date_range("2024-01-01", periods=ROWS, freq="h")
CASES = {
    "identifier": {"key": [f"row {j}" for j in range(ROWS)]},
    "clock": {"seconds": 1_700_000_000 + 3600 * (np.arange(ROWS) // 2)},
    "empty-column": {"empty": [None] * ROWS},
    "cycles-of-times": {"when": HOURS},
    "category-codes": {"code": RNG.choice(["1", "2", "7"], ROWS)},
    "half-read-text": {"price": [*map(str, RNG.integers(100, 900, ROWS - 2)), "ask", "ask"]},
    "numbers-as-text": {"price": [f"${value:,.2f}" for value in RNG.uniform(1, 5000, ROWS)]},
    "unreadable-column": {"mixed": [1, "x", 2.5] * (ROWS // 3)},
}
NUMBERS = {"value": RNG.normal(size=ROWS)}


@pytest.mark.parametrize("rule", CASES)
def test_what_the_reading_says_becomes_one_finding_with_its_column(rule, told):
    (found,) = told(rule, pd.DataFrame({**NUMBERS, **CASES[rule]}))
    assert found.columns == tuple(CASES[rule])
    assert not told(rule, pd.DataFrame(NUMBERS))


@pytest.mark.parametrize("rule", [rule for rule in CASES if rule not in ("numbers-as-text", "unreadable-column")])
def test_every_warning_of_the_reading_has_a_rule_of_its_own(rule):
    said = learned(pd.DataFrame({**NUMBERS, **CASES[rule]}), None).said
    assert said
    assert all(any(pattern.search(message) for pattern in KNOWN) for message in said)
    assert not check(pd.DataFrame({**NUMBERS, **CASES[rule]})).by_rule("reading")


def test_the_share_of_texts_that_do_not_read_is_told(told):
    (found,) = told("half-read-text", pd.DataFrame({**NUMBERS, **CASES["half-read-text"]}))
    assert found.value == pytest.approx(2 / ROWS)
    assert "'ask'" in found.number
    assert "to_numeric" in found.mend


def test_texts_that_are_read_are_told_with_their_gaps(told):
    texts = [*CASES["numbers-as-text"]["price"][:-3], "n/a", "n/a", "n/a"]
    (found,) = told("numbers-as-text", pd.DataFrame({**NUMBERS, "price": texts}))
    assert found.value == ROWS - 3
    assert "3 cells as missing, such as 'n/a'" in found.number


def test_a_refusal_is_told_once(told):
    frame = pd.DataFrame({**NUMBERS, "big": 1e300 * np.arange(ROWS)})
    assert len(told("refused", frame)) == 1
    assert not told("refused", pd.DataFrame({**NUMBERS, **CASES["unreadable-column"]}))
