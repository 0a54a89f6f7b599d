"""Recipes: plain values from which an equal estimator is made, and which say what is wrong with them."""

import json
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from isthmus import (
    KL,
    MMD,
    Adam,
    AnomalyDetector,
    AutoEncoder,
    ByShape,
    Callback,
    Categorical,
    Compute,
    Dense,
    Gaussian,
    Imputer,
    Masking,
    Mixed,
    MixturePrior,
    Part,
    RecipeError,
    TopK,
    estimator_from,
    load,
    recipe_of,
    zoo,
)
from isthmus.core import registry
from isthmus.estimators.recipe import blamed
from isthmus.estimators.recipe_error import RecipeError as ErrorOfRecipe
from isthmus.zoo.preset import FAMILIES

PRESETS = [preset for presets in FAMILIES.values() for preset in presets]
ESTIMATORS = [
    AutoEncoder(),
    AutoEncoder(latent=0.5, hidden=(), scale="none", corruption=None, patience=None, epochs=3, validation="last"),
    AutoEncoder(latent=4, code=TopK(k=2), penalty=["l1", MMD(prior=MixturePrior(radius=2.0))], floor="tell"),
    AutoEncoder(encoder=Dense((32,), dropout=0.1), decoder="tied", optimizer=Adam(weight_decay=0.1)),
    AutoEncoder(encoder=ByShape(), corruption=ByShape(Masking(0.5))),
    AutoEncoder(
        columns={"age": "count", 3: "real"}, compute=Compute(device="cpu", threads=1), random_state=np.int64(3)
    ),
    AutoEncoder(likelihood=Mixed((Gaussian(1.0), Categorical((3,))), (1, 3))),
    AutoEncoder(penalty=KL(beta=2), code="gaussian", likelihood="bce"),
    AnomalyDetector("clean", ("residual", "neighbours"), fdr=0.1, estimator=zoo.variational(8, beta=3), random_state=1),
    AnomalyDetector(method="ensemble", contamination=0.1, columns=("real", "count")),
    Imputer(zoo.masked(latent=4), members=2, methods=("gaussian", "trees"), fill="mean"),
]
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(120, 5))


def same(one, other):
    """Whether two estimators print the same with all their parameters."""
    return repr(sorted(one.get_params().items(), key=str)) == repr(sorted(other.get_params().items(), key=str))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_an_equal_estimator_comes_back(estimator):
    recipe = recipe_of(estimator)
    back = estimator_from(recipe)
    assert type(back) is type(estimator)
    assert recipe_of(back) == recipe
    if not isinstance(estimator.penalty if isinstance(estimator, AutoEncoder) else None, list):
        assert same(back, clone(estimator).set_params(random_state=back.random_state))
    if 3 not in recipe.get("columns", ()):
        assert json.loads(json.dumps(recipe)) == recipe


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.__name__)
def test_every_preset_by_its_name_and_by_its_parts(preset):
    by_name, by_parts = estimator_from({"preset": preset.__name__}), estimator_from(recipe_of(preset()))
    assert same(by_name, preset())
    assert same(by_parts, preset())


@pytest.mark.parametrize(
    ("slot", "name"),
    [
        (slot, name)
        for slot in ("encoder", "decoder", "code", "likelihood", "corruption", "penalty", "objective", "optimizer")
        for name in registry.parts(slot)
    ],
)
def test_every_part_by_its_name(slot, name):
    part = registry.parts(slot)[name]()
    recipe = recipe_of(AutoEncoder(**{slot: part}))
    if part != getattr(AutoEncoder(), slot):
        assert recipe == {slot: {name: {}}}


def test_only_what_differs_is_there():
    assert recipe_of(AutoEncoder()) == {}
    assert recipe_of(Imputer()) == {"model": "Imputer"}
    assert recipe_of(AutoEncoder(latent=3, verbose=1, callbacks=[Callback()])) == {"latent": 3}
    assert recipe_of(AnomalyDetector(estimator=AutoEncoder())) == {"model": "AnomalyDetector", "estimator": {}}
    assert recipe_of(AutoEncoder(validation=np.arange(3))) == {"validation": [0, 1, 2]}


def test_presets_take_their_own_parameters_and_those_of_an_autoencoder():
    found = estimator_from({"preset": "k-sparse", "latent": 30, "top_k": 3, "epochs": 2, "hidden": [16]})
    assert same(found, zoo.k_sparse(30, 3, hidden=(16,), epochs=2))
    inner = estimator_from({"model": "anomaly_detector", "estimator": {"preset": "variational", "beta": 3}})
    assert same(inner, AnomalyDetector(estimator=zoo.variational(beta=3)))


def test_a_part_of_another_package():
    @registry.register("penalty")
    class Mine(Part):
        def __init__(self, weight):
            self.weight = weight

        def get_params(self, deep=True):
            return {"weight": self.weight}

        def build(self, features, latent):
            raise ValueError("weight of Mine is always wrong")

    try:
        assert recipe_of(AutoEncoder(penalty=Mine(3))) == {"penalty": {"mine": {"weight": 3}}}
        with pytest.raises(RecipeError, match=r"penalty\.mine\.weight: weight of Mine is always wrong"):
            estimator_from({"penalty": {"mine": {"weight": 3}}})
        with pytest.raises(RecipeError, match=r"penalty\.mine: .*missing 1 required positional argument: 'weight'"):
            estimator_from({"penalty": {"mine": {}}})
    finally:
        del registry.REGISTERED["penalty", "mine"]
    with pytest.raises(RecipeError, match="a recipe names parts, and Mine is not registered: decorate its class with"):
        recipe_of(AutoEncoder(penalty=Mine(3)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (AutoEncoder(encoder=torch.nn.Linear(2, 2)), "encoder: a recipe cannot hold a torch module such as Linear"),
        (
            AutoEncoder(random_state=np.random.RandomState(0)),
            "random_state: .*the state of a RandomState: give a whole",
        ),
        (AutoEncoder(random_state=np.random.default_rng(0)), "random_state: .*the state of a Generator: give a whole"),
        (AutoEncoder(penalty=MMD(prior=lambda *given: None)), r"penalty\.prior: a recipe cannot hold a function"),
        (AutoEncoder(validation=np.ones((3, 2))), "validation: a recipe cannot hold a ndarray"),
        (AutoEncoder(corruption=object()), "corruption: a recipe cannot hold a object"),
        (AutoEncoder(latent=float("inf")), "latent: a recipe holds finite numbers; got inf"),
        (AutoEncoder(columns={(1, 2): "real"}), "columns: keys in a recipe are text or whole numbers"),
        (AnomalyDetector(method=IsolationForest()), "method: a recipe cannot hold a IsolationForest"),
        (AnomalyDetector(method=np.mean), "method: a recipe cannot hold a function or class"),
        (IsolationForest(), "a recipe makes estimators of isthmus; IsolationForest is none"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_a_recipe_cannot_hold_is_refused_in_words(estimator, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(estimator)


def test_a_fitted_autoencoder_inside_is_refused():
    fitted = AutoEncoder(latent=2, epochs=1, floor="tell", random_state=0).fit(X)
    assert recipe_of(fitted) == {"latent": 2, "epochs": 1, "floor": "tell", "random_state": 0}
    with pytest.raises(RecipeError, match="estimator: it is fitted, and a recipe holds no weights"):
        recipe_of(AnomalyDetector(estimator=fitted))


@pytest.mark.parametrize(
    ("recipe", "steps", "message"),
    [
        ({"latnt": 3}, ("latnt",), "unknown parameter of AutoEncoder 'latnt'; did you mean 'latent'"),
        ({"callbacks": []}, ("callbacks",), "unknown parameter of AutoEncoder 'callbacks'"),
        ({"latent": "abc"}, ("latent",), "^latent must be a whole number of at least 1, .*; got 'abc'"),
        ({"latent": 2.5}, ("latent",), "latent must be a whole number of at least 1"),
        ({"latent": True}, ("latent",), "latent must be a whole number of at least 1"),
        ({"latent": 10**12}, ("latent",), "units are too large"),
        ({"hidden": [8, -1]}, ("hidden",), "hidden must be whole numbers of at least 1"),
        ({"activation": "rleu"}, ("activation",), "unknown activation 'rleu'; did you mean 'relu'"),
        ({"penalty": {"k1": {}}}, ("penalty", "k1"), r"penalty\.k1: unknown penalty 'k1'; did you mean 'l1'"),
        ({"penalty": {"kl": {"bta": 1}}}, ("penalty", "kl", "bta"), "parameter of KL 'bta'; did you mean 'beta'"),
        ({"penalty": {"l1": 0.1}}, ("penalty", "l1"), "must have names, such as {weight: 0.1}; got 0.1"),
        ({"penalty": {"l1": {}, "kl": {}}}, ("penalty",), "one part is one name .* got 'l1', 'kl' .several are a list"),
        ({"penalty": ["l1", {"l1": {"weight": -1}}]}, ("penalty", 1, "l1", "weight"), "weight of L1 must be a number"),
        ({"code": "gaussian", "penalty": {"kl": {"beta": -1}}}, ("penalty", "kl", "beta"), "beta of KL must be"),
        ({"penalty": {"kl": {}}}, ("penalty",), "the penalty KL needs a code with a posterior"),
        ({"latent": 4, "code": {"top_k": {"k": 9}}}, ("code", "top_k", "k"), "k of TopK is 9, but the code has only"),
        ({"likelihood": {"gaussian": {"variance": -1}}}, ("likelihood", "gaussian", "variance"), "variance of"),
        ({"corruption": {"by_shape": {"rows": {"masking": {"rate": 2}}}}}, ("corruption", "by_shape", "rows", "masking",
          "rate"), "rate of Masking"),
        ({"encoder": {"dense": {}}, "hidden": [3]}, ("hidden",), "encoder= replaces hidden and activation"),
        ({"objective": {"importance_weighted": {"samples": 0}}}, ("objective", "importance_weighted", "samples"), "of"),
        ({"init": "x"}, ("init",), "unknown init"),
        ({"scale": "big"}, ("scale",), "unknown scale"),
        ({"columns": {"age": "rael"}}, ("columns", "age"), "unknown kind of column 'rael'; did you mean 'real'"),
        ({"columns": 3}, ("columns",), "columns must be None, 'auto', a kind"),
        ({"compute": {"thread": 1}}, ("compute", "thread"), "unknown parameter of Compute 'thread'; did you mean"),
        ({"compute": {"threads": 0}}, ("compute", "threads"), "threads must be"),
        ({"compute": "tpu"}, ("compute",), "unknown device 'tpu'"),
        ({"optimizer": {"adam": {"beta": 1}}}, ("optimizer", "adam", "beta"), "did you mean 'betas'"),
        ({"optimizer": "sgd"}, ("optimizer",), "unknown optimizer 'sgd'"),
        ({"validation": "first"}, ("validation",), "validation must be 'auto', a share"),
        ({"validation": 1.5}, ("validation",), "validation must be a number in"),
        ({"epochs": 0}, ("epochs",), "epochs must be a whole number"),
        ({"batch_size": "x"}, ("batch_size",), "batch_size must be a whole number"),
        ({"learning_rate": "fast"}, ("learning_rate",), "learning_rate must be a positive number; got 'fast'"),
        ({"schedule": "x"}, ("schedule",), "unknown schedule"),
        ({"patience": 0}, ("patience",), "patience must be"),
        ({"floor": "return", "penalty": "l1"}, ("floor",), "floor='return' puts principal components in place"),
        ({"random_state": -1}, ("random_state",), "random_state must be"),
        ({"model": "Imputr"}, ("model",), "unknown model 'Imputr'; did you mean 'Imputer'"),
        ({"model": 3}, ("model",), "a name was expected; got 3"),
        ({"preset": "variatonal"}, ("preset",), "unknown preset 'variatonal'; did you mean 'variational'"),
        ({"preset": "variational", "bta": 3}, ("bta",), "unknown parameter of preset 'variational' 'bta'"),
        ({"preset": "variational", "beta": -3}, ("beta",), "beta of KL must be"),
        ({"preset": "linear", "model": "Imputer"}, ("preset",), "either 'model' or 'preset'"),
        ({"model": "AnomalyDetector", "setting": "cleen"}, ("setting",), "unknown setting 'cleen'"),
        ({"model": "AnomalyDetector", "fdr": 2}, ("fdr",), "fdr must be a number in"),
        ({"model": "AnomalyDetector", "method": "x"}, ("method",), "unknown method 'x'"),
        ({"model": "AnomalyDetector", "epochs": 3}, ("epochs",), "unknown parameter of AnomalyDetector 'epochs'"),
        ({"model": "AnomalyDetector", "estimator": {"latent": -1}}, ("estimator", "latent"), "latent must be"),
        ({"model": "AnomalyDetector", "estimator": {"latnt": 1}}, ("estimator", "latnt"), "did you mean 'latent'"),
        ({"model": "Imputer", "members": 0}, ("members",), "members must be"),
        ({"model": "Imputer", "methods": ["tres"]}, ("methods",), "unknown methods 'tres'; did you mean 'trees'"),
        ({"model": "Imputer", "columns": "x"}, ("columns",), "unknown columns 'x'"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(recipe, steps, message):
    with pytest.raises(RecipeError, match=message) as told:
        estimator_from(recipe)
    assert told.value.steps == steps
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value)


def test_the_place_is_told_by_names_and_by_values():
    value = {"a": {"beta": 1, "b": "rael"}, "c": [{"beta": 2}]}
    assert blamed("beta must be", value, ()) == ("a", "beta")
    assert blamed("beta must be", value["c"], ("c",)) == ("c", 0, "beta")
    assert blamed("unknown kind 'rael' (one of: 'real')", value, ()) == ("a", "b")
    assert blamed("something else", value, ("x",)) == ("x",)
    assert ErrorOfRecipe is RecipeError


def test_checks_draw_no_numbers():
    before = torch.get_rng_state()
    generator = np.random.RandomState(0)
    AutoEncoder(latent=4, encoder="convolutional", random_state=generator).check_parameters()
    assert torch.equal(torch.get_rng_state(), before)
    assert generator.randint(2**31) == np.random.RandomState(0).randint(2**31)


# -- the same bits -----------------------------------------------------------------------------------------------------

SMALL = {"latent": 2, "hidden": (8,), "epochs": 2, "floor": "tell"}


@pytest.mark.parametrize(
    "estimator",
    [
        AutoEncoder(**SMALL, penalty="l1", corruption=Masking(0.2), optimizer=Adam(weight_decay=0.1), random_state=3),
        zoo.variational(**SMALL, beta=4, random_state=3),
        AnomalyDetector("clean", "residual", calibration_fraction=None, estimator=AutoEncoder(**SMALL), random_state=3),
        Imputer(AutoEncoder(**SMALL), members=1, methods=("gaussian", "autoencoder"), random_state=3),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_recipe_of_a_model_file_makes_the_same_model_bit_for_bit(estimator, tmp_path):
    rows = X.copy()
    if isinstance(estimator, Imputer):
        rows[::7, 1] = np.nan
    estimator.fit(rows).save(tmp_path / "model.isthmus")
    recipe = json.loads(json.dumps(recipe_of(tmp_path / "model.isthmus")))
    again = estimator_from(recipe).fit(rows)
    use = (
        (lambda one: one.score_samples(rows))
        if isinstance(estimator, AnomalyDetector)
        else (lambda one: one.transform(rows))
    )
    np.testing.assert_array_equal(use(again), use(estimator))
    first, second = (one.fitted_state() for one in (estimator, again))
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[name], tensor, err_msg=name)
    assert recipe_of(load(tmp_path / "model.isthmus")) == recipe


def test_a_model_file_says_where_it_computed(tmp_path):
    ae = AutoEncoder(**SMALL, compute=Compute(device="cpu", threads=1), random_state=0).fit(X)
    ae.save(tmp_path / "model.isthmus")
    assert recipe_of(tmp_path / "model.isthmus")["compute"] == {"device": "cpu", "threads": 1}
    with pytest.raises(FileNotFoundError, match="there is no model file"):
        recipe_of(tmp_path / "none.isthmus")
