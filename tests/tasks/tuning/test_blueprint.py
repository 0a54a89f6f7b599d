"""Blueprints: names of parameters are checked, and values make the estimator that they mean."""

import pytest

from isthmus import L1, AnomalyDetector, AutoEncoder, Imputer
from isthmus.tasks.tuning.blueprint import Blueprint
from isthmus.tasks.tuning.dimension import dimensions


def blueprint(space, model=None, **fixed):
    return Blueprint(AutoEncoder(0.9, random_state=3) if model is None else model, dimensions(space), fixed)


def made(space, records, **fixed):
    return blueprint(space, **fixed).recorded(records)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"learning_rat": (0.1, 0.2)}, "no parameter 'learning_rat'; did you mean 'learning_rate'"),
        ({"penalty__weight": (0.1, 0.2)}, "no parameter 'penalty__weight'"),
        ({"penalty": ["l1"], "penalty__wieght": (0.1, 0.2)}, "did you mean 'penalty__weight'"),
        ({"preset": ["k_spars"]}, "unknown preset 'k_spars'; did you mean 'k_sparse'"),
        ({"k_sparse.top_k": (1, 2)}, "no parameter 'k_sparse.top_k'"),
    ],
)
def test_unknown_names_are_told_with_near_ones(space, message):
    with pytest.raises(ValueError, match=message):
        blueprint(space)


def test_presets_are_for_autoencoders():
    with pytest.raises(ValueError, match="chooses among autoencoders"):
        blueprint({"preset": [None]}, AnomalyDetector())


def test_nested_parameters_are_asked_for_only_where_they_are():
    space = {"penalty": [None, "l1"], "penalty__weight": (0.1, 0.9)}
    assert made(space, {"penalty": "None"}).penalty is None
    assert made(space, {"penalty": "l1", "penalty__weight": 0.5}).penalty == L1(0.5)


def test_the_values_of_one_trial_do_not_leak_into_another():
    found = blueprint({"penalty": [None, "l1"], "penalty__weight": (0.1, 0.9)})
    first = found.recorded({"penalty": "l1", "penalty__weight": 0.5})
    found.recorded({"penalty": "l1", "penalty__weight": 0.7})
    assert first.penalty == L1(0.5)


def test_choices_that_are_parts_are_not_changed_either():
    part = L1(0.2)
    found = blueprint({"penalty": [None, part], "penalty__weight": (0.1, 0.9)})
    found.recorded({"penalty": "L1(weight=0.2)", "penalty__weight": 0.7})
    assert part == L1(0.2)


def test_presets_keep_their_own_parts_and_take_the_rest():
    space = {
        "preset": [None, "variational"],
        "penalty": [None, "l1"],
        "hidden": [(8,), (4,)],
        "variational.beta": (1, 4),
    }
    found = made(space, {"preset": "variational", "hidden": "(4,)", "variational.beta": 2}, latent=5)
    assert (found.penalty.beta, found.hidden, found.latent, found.random_state) == (2, (4,), 5, 3)


def test_presets_with_an_encoder_have_no_widths_to_search():
    found = made({"preset": [None, "convolutional"], "hidden": [(8,), (4,)]}, {"preset": "convolutional"})
    assert found.hidden == AutoEncoder().hidden


def test_defaults_are_recorded_where_the_space_has_them():
    found = blueprint({"hidden": [(8,), (128,)], "learning_rate": (1e-4, 1e-2), "epochs": [5], "preset": [None]})
    assert found.default_records() == {"hidden": "(128,)", "learning_rate": 0.005, "preset": "None"}
    assert found.defaults().get_params() == AutoEncoder(0.9, random_state=3).get_params()


def test_nested_estimators_are_changed_in_a_copy():
    model = Imputer(AutoEncoder(2))
    found = blueprint({"estimator__latent": (2, 4)}, model).recorded({"estimator__latent": 4})
    assert (found.estimator.latent, model.estimator.latent) == (4, 2)
