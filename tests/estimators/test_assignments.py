"""Settings from a command line."""

import pytest

from isthmus import KL, L1, AnomalyDetector, AutoEncoder, Compute, Imputer, KLSparsity, Masking, TotalCorrelation, zoo
from isthmus.estimators.assignments import configured, taken_apart, widths_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, AutoEncoder()),
        (
            {"preset": "variational", "latent": "16", "hidden": "128,64", "assignments": ["penalty.beta=4"]},
            zoo.variational(16, hidden=(128, 64), beta=4),
        ),
        ({"preset": "variational", "assignments": ["beta=4"], "seed": 3}, zoo.variational(beta=4, random_state=3)),
        ({"assignments": ["random_state=5"], "seed": 3}, AutoEncoder(random_state=5)),
        ({"recipe": {"random_state": 5}, "seed": 3}, AutoEncoder(random_state=5)),
        ({"latent": "0.5", "hidden": "none"}, AutoEncoder(0.5, ())),
        ({"latent": "auto", "hidden": "32"}, AutoEncoder("auto", (32,))),
        ({"latent": 3, "hidden": [8, 4]}, AutoEncoder(3, (8, 4))),
        ({"assignments": ["likelihood=poisson"]}, AutoEncoder(likelihood="poisson")),
        ({"assignments": ["penalty=l1", "penalty.weight=.1"]}, AutoEncoder(penalty=L1(weight=0.1))),
        ({"assignments": ["penalty__weight=.1", "penalty=l1"]}, AutoEncoder(penalty="l1")),
        ({"assignments": ['penalty={"l1": {"weight": 0.1}}']}, AutoEncoder(penalty=L1(weight=0.1))),
        (
            {"assignments": ["code.activation=sigmoid", "penalty=[l1, kl_sparsity]", "penalty.l1.weight=.5"]},
            AutoEncoder(code=AutoEncoder(code="deterministic").code, penalty=[L1(0.5), KLSparsity()]),
        ),
        (
            {"preset": "beta_tcvae", "assignments": ["penalty.kl.beta=4", "penalty.1.beta=9"]},
            zoo.beta_tcvae(penalty=[KL(beta=4), TotalCorrelation(beta=9)]),
        ),
        (
            {"preset": "beta_tcvae", "assignments": ["penalty.warm_up=.5"]},
            zoo.beta_tcvae(penalty=[KL(warm_up=0.5), TotalCorrelation()]),
        ),
        ({"assignments": ["corruption=masking", "corruption.rate=.1"]}, AutoEncoder(corruption=Masking(0.1))),
        (
            {"assignments": ["compute.threads=1", "patience=null"]},
            AutoEncoder(compute=Compute(threads=1), patience=None),
        ),
        (
            {"assignments": ["columns.zip.code=category", "columns.3=real"]},
            AutoEncoder(columns={"zip.code": "category", 3: "real"}),
        ),
        (
            {"recipe": {"preset": "variational", "beta": 3}, "assignments": ["penalty.warm_up=.1"]},
            zoo.variational(beta=3, warm_up=0.1),
        ),
        ({"recipe": {"model": "AutoEncoder", "latent": 3}, "preset": "sparse"}, zoo.sparse(3)),
        (
            {"model": "anomaly_detector", "preset": "variational", "latent": "8", "assignments": ["fdr=.1"]},
            AnomalyDetector(estimator=zoo.variational(8), fdr=0.1),
        ),
        (
            {"model": "anomaly-detector", "assignments": ["estimator.epochs=3"]},
            AnomalyDetector(estimator=AutoEncoder(epochs=3)),
        ),
        ({"model": "Imputer", "hidden": "32", "seed": 0}, Imputer(AutoEncoder(hidden=(32,)), random_state=0)),
    ],
    ids=str,
)  # fmt: skip
def test_what_comes_of_it(given, expected):
    found = configured(**given)
    if "code.activation=sigmoid" in given.get("assignments", ()):
        assert found.code.activation == "sigmoid"
        found.set_params(code="deterministic")
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["epochs"], "'epochs' is no assignment: write name=value"),
        (["=3"], "is no assignment"),
        (["penalty..beta=3"], "is no assignment"),
        (["latnt=3"], "^latnt=3: unknown parameter of AutoEncoder 'latnt'; did you mean 'latent'"),
        (["latent=abc"], "^latent=abc: latent must be a whole number of at least 1, .*; got 'abc'"),
        (["epochs=3", "epochs=0"], "^epochs=0: epochs must be"),
        (["penalty=[l1"], r"^penalty=\[l1: .* is no JSON"),
        (
            ["penalty=l1", "penalty.wieght=1"],
            "^penalty.wieght=1: unknown parameter of L1 'wieght'; did you mean 'weight'",
        ),
        (["penalty.weight=1"], "penalty is None, which has no parameters: name a part first, penalty=NAME"),
        (["likelihood.variance=1"], "likelihood is 'auto', which has no parameters"),
        (["likelihood=gausian", "likelihood.variance=1"], "unknown likelihood 'gausian'; did you mean 'gaussian'"),
        (["penalty=l1", "penalty.weight=-1"], "weight of L1 must be a number of at least 0; got -1"),
        (["epochs.x=1"], "epochs is 'auto', which has no parameters"),
        (
            ["penalty=[l1, weight_decay]", "penalty.weight=1"],
            "several parts .l1, weight_decay., and 'weight' names none",
        ),
        (["penalty=[l1]", "penalty.3.weight=1"], "'3' names none of them alone"),
        (["columns=auto", "columns.age=count"], "columns.age=count: columns is 'auto' already"),
        (["columns.age=cuont"], "unknown kind of column 'cuont'; did you mean 'count'"),
    ],
    ids=str,
)
def test_errors_begin_with_the_assignment(assignments, message):
    with pytest.raises(ValueError, match=message):
        configured(assignments=assignments)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"latent": "x"}, "^latent must be a whole number"),
        ({"hidden": "12x"}, "hidden must be whole numbers"),
        ({"preset": "sprse"}, "^unknown preset 'sprse'; did you mean 'sparse'"),
        ({"model": "imputr"}, "unknown model 'imputr'; did you mean 'Imputer'"),
        ({"model": "imputr", "latent": "3"}, "unknown model 'imputr'"),
        ({"model": "AnomalyDetector", "assignments": ["epochs=3"]}, "^epochs=3: unknown parameter of AnomalyDetector"),
    ],
    ids=str,
)
def test_options_that_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        configured(**given)


def test_texts():
    assert taken_apart("penalty__beta = 4") == (["penalty", "beta"], 4)
    assert taken_apart("columns__a__b=real") == (["columns", "a__b"], "real")
    assert widths_of("[128, 64]") == [128, 64]
    assert widths_of("") == []
