import json

import numpy as np
import pytest

from isthmus.tasks.anomaly.calibration import NoCalibration
from isthmus.tasks.anomaly.decisions import Decision, DecisionRule, Evidence, exponential_threshold, level_threshold
from isthmus.tasks.anomaly.score_gap import ScoreGap


class HeldOut:
    """Calibration scores that are there already."""

    ready = True
    groups = None

    def __init__(self, scores, known_normal=False):
        self.scores, self.known_normal, self.rows = scores, known_normal, len(scores)


def evidence(scores, calibration=None, clean=False, known=None):
    unknown = scores if known is None else scores[~known]
    gap = ScoreGap.of(unknown[:, None], unknown)
    return Evidence(scores, gap, calibration or NoCalibration(None), clean, known)


def normal(n, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def with_gap(n=500, odd=50):
    scores = normal(n)
    scores[:odd] += 9
    return scores


def test_a_gap_decides_and_is_told():
    decision = DecisionRule().decide(evidence(with_gap()))
    assert (decision.rule, decision.level, decision.called, decision.rows) == ("scores", None, 50, 500)
    assert 3 < decision.threshold < 7
    assert str(decision).startswith("50 of 500 training rows are called anomalies: there is a gap in the scores")


def test_without_a_gap_one_row_in_a_hundred_is_called():
    scores = normal(1000)
    assert DecisionRule().decide(evidence(scores)).called == 10
    held_out = HeldOut(normal(999, 1))
    decision = DecisionRule().decide(evidence(scores, held_out))
    assert (held_out.scores > decision.threshold).sum() == 9
    assert "neither a gap nor a long tail" in str(decision)
    assert "999 held-out rows" in str(decision)


@pytest.mark.parametrize(("n", "most"), [(50, 0.03), (100, 0.02), (300, 0.02)])
def test_few_clean_rows_give_few_false_alarms(n, most):
    alarms = []
    for seed in range(50):
        held_out = HeldOut(np.random.default_rng(seed).exponential(size=n), known_normal=True)
        threshold = DecisionRule().decide(evidence(held_out.scores, held_out, clean=True)).threshold
        alarms.append(np.exp(-threshold))
    assert np.mean(alarms) < most


def test_an_exponential_tail_is_drawn_out():
    scores = -np.log1p(-np.arange(1, 2000) / 2000)
    assert np.exp(-exponential_threshold(scores)) == pytest.approx(0.01, rel=0.1)
    assert exponential_threshold(np.ones(5)) == 1


def test_a_clean_setting_has_no_gap_to_look_for():
    decision = DecisionRule().decide(evidence(with_gap(), HeldOut(with_gap(), known_normal=True), clean=True))
    assert decision.rule == "scores"
    assert "gap" not in str(decision)


def test_known_anomalies_are_counted_and_decide():
    scores, known = normal(1000), np.arange(1000) < 20
    scores[known] = 1.5
    found = evidence(scores, known=known)
    decision = DecisionRule().decide(found)
    assert decision.rule == "known anomalies"
    assert decision.threshold < 1.5
    assert "20 known anomalies best, 20 of which are above it" in str(decision)
    assert found.count.estimate == 20 + found.gap.count.estimate
    assert DecisionRule(contamination=0.1).decide(found).called == 100


@pytest.mark.parametrize("rate", ["alpha", "fdr"])
def test_a_level_that_no_row_reaches_is_told(rate):
    held_out = HeldOut(normal(50), known_normal=True)
    decision = DecisionRule(**{rate: 0.01}).decide(evidence(normal(60), held_out))
    assert decision.threshold == np.inf
    assert "the smallest p-value is 1/51 = 0.0196; 99 would do, or alpha=0.0197" in str(decision)


def test_what_a_rate_can_find_is_told():
    held_out = HeldOut(normal(400), known_normal=True)
    said = str(DecisionRule(fdr=0.05).decide(evidence(normal(500), held_out)))
    assert "1/401 = 0.00249" in said
    assert "at most 20 rows (1,999 calibration rows would do for one among 100)" in said
    assert "alpha=0.05 looks at each row by itself" in said
    assert "calls this share of normal rows" in str(DecisionRule(alpha=0.05).decide(evidence(normal(500), held_out)))


@pytest.mark.parametrize("odd", [60, 200])
def test_calibration_rows_that_are_anomalies_are_told(odd):
    scores = with_gap(600, odd)
    said = str(DecisionRule(fdr=0.05).decide(evidence(scores, HeldOut(scores))))
    assert "give normal rows to calibrate(X)" in said
    assert "give normal rows" not in str(
        DecisionRule(fdr=0.05).decide(evidence(scores, HeldOut(normal(500), known_normal=True)))
    )


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5])
def test_rows_above_the_threshold_of_a_level_have_p_values_of_at_most_it(level):
    scores = normal(99)
    above = np.sort(scores[scores > level_threshold(scores, level)])
    assert len(above) + 1 == pytest.approx(level * 100)


def test_a_decision_can_be_written_and_read():
    decision = DecisionRule(fdr=0.01).decide(evidence(normal(60), HeldOut(normal(50))))
    assert Decision.from_facts(json.loads(json.dumps(decision.facts())), decision.threshold) == decision
