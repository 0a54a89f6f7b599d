import pytest

from isthmus.paper.claim import MARGIN, Claim, Source, agreed, below, compared, every, tally


def claim(holds, not_checked="", source=Source.PAPER):
    return Claim("one is less than two", source, holds, "one is 1, two is 2.", not_checked)


@pytest.mark.parametrize("ratio", [0.5, 0.9, 0.97, 1.03, 1.1, 2.0])
def test_a_hundredth_of_noise_in_both_numbers_never_turns_a_verdict_around(ratio):
    verdicts = {below(ratio * (1 + one), 1 + other) for one in (-0.01, 0, 0.01) for other in (-0.01, 0, 0.01)}
    assert not {True, False} <= verdicts


def test_numbers_that_are_nearly_equal_decide_nothing():
    assert below(1 - 2 * MARGIN, 1) is True
    assert below(1 - MARGIN / 2, 1) is None
    assert below(1 + MARGIN / 2, 1) is None
    assert below(1 + 2 * MARGIN, 1) is False


def test_one_failure_decides_and_one_doubt_leaves_open():
    assert every(True, True) is True
    assert every(True, None) is None
    assert every(None, False) is False


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "50 % less"), (1.5, "50 % more"), (3.0, "3.0 times it"), (1.03, "within 5 % of it")]
)
def test_comparisons_in_words(value, words):
    assert compared(value, 1.0) == words


def test_verdicts_in_words():
    assert [claim(holds).verdict for holds in (True, False, None)] == ["holds", "does not hold", "too close to call"]
    withheld = claim(True).without_verdict("3 epochs")
    assert withheld.verdict == "not judged: 3 epochs"
    assert withheld.holds is None
    assert claim(True).without_verdict("") == claim(True)


def test_claims_that_hold_are_counted_among_those_with_a_verdict():
    assert tally([claim(True), claim(False), claim(True)]) == ("2 of 3", "")
    assert tally([claim(True), claim(None)]) == ("1 of 2", "1 too close to call")
    assert tally([claim(True), claim(None, "1 image")]) == ("1 of 1", "1 not judged: 1 image")
    assert tally([claim(None, "3 epochs")] * 2) == ("", "2 not judged: 3 epochs")


def test_seeds_that_differ_give_no_verdict():
    assert agreed([claim(True), claim(True)]).holds is True
    differing = agreed([claim(True), claim(False), claim(True)])
    assert differing.holds is None
    assert "holds with 2 of 3" in differing.evidence
    assert agreed([claim(False)]) == claim(False)
