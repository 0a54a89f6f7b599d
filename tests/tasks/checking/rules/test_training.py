import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, TrainingWarning, check, zoo
from isthmus.estimators import health
from isthmus.tasks.checking import RULES
from isthmus.tasks.checking.rules.training import PROBLEMS

DIGITS = np.random.default_rng(0).permutation(load_digits().data)


@pytest.fixture(scope="module")
def model():
    return AutoEncoder(8, epochs=5, random_state=0).fit(DIGITS[:600])


def with_health(model, **figures):
    """Return a fitted model whose record has other figures."""
    fitted = model.fitted_model()
    history = type(fitted.record.history).from_dict(fitted.record.history.to_dict())
    history.health |= {name: float(value) for name, value in figures.items()}
    other = AutoEncoder(8)
    other.model_ = dataclasses.replace(fitted, record=dataclasses.replace(fitted.record, history=history))
    return other


def test_a_good_training_gets_nothing(model):
    assert list(check(model=model)) == []


def test_the_warnings_of_a_training_become_findings():
    with pytest.warns(TrainingWarning) as caught:
        collapsed = zoo.variational(8, beta=200.0, epochs=5, random_state=0).fit(DIGITS[:500])
    found = check(model=collapsed)
    assert {"below-floor"} <= {one.rule for one in found}
    said = [str(one.message) for one in caught]
    assert all(any(one.number in message for message in said) for one in found)


@pytest.mark.parametrize(
    ("rule", "figures"),
    [
        ("unused-code", {"active_units": 5}),
        ("constant-code", {"active_units": 0}),
        ("dead-outputs", {"dead_outputs": 3}),
        ("large-code", {"needed": 4}),
        ("idle-units", {"hidden_units": 100, "idle_units": 90}),
        ("saturated-units", {"saturated_share": 0.9}),
        ("learning-rate", {"loss_above_start": 3}),
        ("overfitting", {"loss_rise": 3}),
        ("validated-on-copies", {"duplicates": 50, "coincidences": 0}),
        ("dead-units", {"used_units": 2}),
        ("unused-codewords", {"codes": 64, "used_codes": 3}),
    ],
)
def test_each_figure_of_health_has_a_finding(rule, figures, model):
    (found,) = check(model=with_health(model, **figures))
    assert found.rule == rule


def test_every_problem_that_is_named_has_a_rule():
    folder = Path(health.__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py") if path.stem != "problem"]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [call.args[0].value for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Problem"]
    assert sorted(names) == sorted(PROBLEMS)
    assert set(names) <= set(RULES)


def test_a_model_without_figures_is_silent_about_them():
    assert [one.rule for one in check(model=AutoEncoder(2).partial_fit(DIGITS[:100]))] in ([], ["not-validated"])


def test_an_interrupted_training_is_told(model):
    cut = with_health(model)
    cut.model_.record.history.stopped = "interrupted in epoch 3"
    assert [one.rule for one in check(model=cut)] == ["cut-short"]
