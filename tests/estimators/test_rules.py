import numpy as np
import pytest
import torch

from isthmus import Adam, AutoEncoder, Bernoulli, Compute, Dense, Gaussian, zoo
from isthmus.core.principal import principal_components
from isthmus.data.rows import Rows
from isthmus.data.scaling import automatic_scale, scaling
from isthmus.data.schema import TableSchema
from isthmus.estimators import rules

NUMBERS = TableSchema(4)


@pytest.mark.parametrize("rows", [1, 2, 128, 256])
def test_small_tables_are_one_batch(rows):
    assert rules.batch_size(rows) == rows


@pytest.mark.parametrize("rows", [257, 1000, 10**6])
def test_large_tables_have_batches_of_128(rows):
    assert rules.batch_size(rows) == 128


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("rows", [2, 50, 100, 256, 257, 1000, 6400, 7000, 60_000, 10**6])
def test_epochs_make_enough_steps(rows, validated):
    batch = rules.batch_size(rows)
    epochs, steps = rules.epochs(rows, batch, validated), -(-rows // batch)
    least = 1000 if validated else 200
    assert epochs >= 20
    assert epochs * steps >= least
    assert epochs == 20 or (epochs - 1) * steps < least


def test_validation_rows_are_a_tenth_and_at_most_2000():
    assert [rules.automatic_validation(rows) for rows in (1, 99, 100, 101, 1000, 20_000, 10**6)] == [
        0, 0, 10, 10, 100, 2000, 2000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fraction", "rows", "expected"), [("auto", 500, 50), (0, 500, 0), (0.0, 500, 0), (0.25, 10, 2), (0.99, 2, 1)]
)
def test_validation_rows(fraction, rows, expected):
    assert rules.validation_rows(fraction, rows) == expected


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.999, 0.999999])
@pytest.mark.parametrize("rows", [2, 3, 10, 1000])
def test_some_row_is_left_to_train_on(fraction, rows):
    assert rules.validation_rows(fraction, rows) < rows


@pytest.mark.parametrize("fraction", [1, 1.0, 2, -0.1, "half", None, True, float("nan")])
def test_validations_that_cannot_be(fraction):
    with pytest.raises(ValueError, match=r"validation must be a number in \[0, 1\); got"):
        rules.validation_rows(fraction, 100)


ZEROS_AND_ONES = (np.random.default_rng(0).random((20, 3)) > 0.5).astype(float)


@pytest.mark.parametrize(
    ("X", "scale", "expected"),
    [
        (ZEROS_AND_ONES, "auto", Bernoulli()),
        (ZEROS_AND_ONES, "none", Bernoulli()),
        (ZEROS_AND_ONES, "standard", Gaussian()),
        (ZEROS_AND_ONES * 0.5, "auto", Gaussian(activation="sigmoid")),
        (ZEROS_AND_ONES * 2, "auto", Gaussian(activation="sigmoid")),
        (ZEROS_AND_ONES * 2, "minmax", Gaussian(activation="sigmoid")),
        (ZEROS_AND_ONES * 2, "global", Gaussian(activation="sigmoid")),
        ((ZEROS_AND_ONES * 255).astype(np.uint8), "auto", Gaussian(activation="sigmoid")),
        (ZEROS_AND_ONES - 0.5, "auto", Gaussian(activation="sigmoid")),
        (ZEROS_AND_ONES * [1, 2, 3] - 0.5, "auto", Gaussian()),
    ],
)
def test_likelihood(X, scale, expected):
    rows = Rows(X)
    summary = rows.summary()
    if scale == "auto":
        scale = automatic_scale(summary, rows.table.dtype, X).name
    assert rules.likelihood(summary, scaling(scale, summary)) == expected


def principal(variances):
    X = np.diag(np.sqrt(np.array(variances, dtype=float)))
    X = np.concatenate([X, -X])
    return principal_components(lambda: [(torch.from_numpy(X), None)], len(variances))


@pytest.mark.parametrize(
    ("share", "size"), [(0.1, 1), (0.5, 1), (0.51, 2), (0.75, 2), (0.76, 3), (0.999, 4), (1 - 1e-12, 4)]
)
def test_latent_as_a_share(share, size):
    assert rules.latent_size(AutoEncoder(latent=share), NUMBERS, 4, principal([4, 2, 1, 1])) == size


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, -0.5, float("nan"), float("inf")])
def test_share_that_cannot_be(share):
    with pytest.raises(ValueError, match=r"latent must be .* or a share of the variance in \(0, 1\); got"):
        rules.latent_size(AutoEncoder(latent=share), NUMBERS, 4, principal([4, 2, 1, 1]))


@pytest.mark.parametrize("latent", [0, -1, "x", None, True, [2]])
def test_latent_that_cannot_be(latent):
    with pytest.raises(ValueError, match=r"latent must be a whole number of at least 1, .*; got"):
        rules.latent_size(AutoEncoder(latent=latent), NUMBERS, 4, None)


def test_plan_by_the_rows():
    plan = rules.plan(AutoEncoder(), 1000, 100)
    assert (plan.epochs, plan.batch_size, plan.learning_rate) == (125, 128, 0.005)
    assert (plan.schedule, plan.optimiser, plan.patience, plan.precision) == ("cosine", Adam(), 10, "auto")


def test_plan_as_given():
    given = AutoEncoder(
        epochs=3,
        batch_size=7,
        learning_rate=1,
        schedule="constant",
        optimizer="adamw",
        patience=4,
        compute=Compute(precision="float32"),
    )
    plan = rules.plan(given, 1000, 100)
    assert (plan.epochs, plan.batch_size, plan.learning_rate) == (3, 7, 1.0)
    assert (plan.schedule, plan.patience, plan.precision) == ("constant", 4, "float32")
    assert plan.optimiser == Adam(weight_decay=0.01)


def test_numpys_numbers_are_numbers():
    given = AutoEncoder(epochs=np.int32(3), batch_size=np.int64(7), learning_rate=np.float32(0.5))
    plan = rules.plan(given, 1000, 100)
    assert (plan.epochs, plan.batch_size, plan.learning_rate) == (3, 7, 0.5)
    assert [type(value) for value in (plan.epochs, plan.batch_size, plan.learning_rate)] == [int, int, float]


@pytest.mark.parametrize("patience", [10, None, 1, 50])
def test_patience(patience):
    assert rules.plan(AutoEncoder(patience=patience), 1000, 100).patience == patience


WHOLE = "must be a whole number of at least 1; got"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *[("epochs", value, f"epochs {WHOLE}") for value in (0, -1, 2.0, "many", None, True)],
        *[("batch_size", value, f"batch_size {WHOLE}") for value in (0, 1.5, "all", None)],
        *[("patience", value, f"patience {WHOLE}") for value in (0, -3, 2.5, "yes", True)],
        *[
            ("learning_rate", value, "learning_rate must be a positive number; got")
            for value in (0, -0.1, float("nan"), float("inf"), "fast", None, True)
        ],
        ("schedule", "cosin", "unknown schedule 'cosin'; did you mean 'cosine'"),
        ("optimizer", "adma", "unknown optimizer 'adma'; did you mean 'adam'"),
    ],
)
def test_plan_that_cannot_be(name, value, message):
    with pytest.raises(ValueError, match=message):
        rules.plan(AutoEncoder(**{name: value}), 1000, 100)


def test_is_auto():
    assert rules.is_auto("auto")
    assert not any(map(rules.is_auto, ["Auto", None, 0, np.array(["auto", "auto"])]))


def test_components_are_found_of_many_rows_and_it_is_told(monkeypatch):
    assert [rules.principal_rows(features) for features in (1, 312, 313, 784)] == [10_000, 10_000, 10_016, 25_088]
    monkeypatch.setattr(rules, "PRINCIPAL_ROWS", 200)
    X = np.random.default_rng(0).normal(size=(400, 5))
    ae = AutoEncoder(2, encoder="dense", epochs=1, random_state=0).fit(X)
    assert ae.history_.init == "pca (exact), of 200 of the 360 rows"
    assert AutoEncoder(2, epochs=1, random_state=0).fit(X).history_.init == "pca (exact)"  # codes, of all rows


@pytest.mark.parametrize("encoder", ["linear", Dense((5,)), torch.nn.Identity()])
def test_layers_beside_an_encoder_are_refused(encoder):
    for hidden in ((128,), [128], np.array([128])):
        rules.refuse_layers_beside_encoder(AutoEncoder(hidden=hidden, encoder=encoder))
    for settings, message in (
        ({"hidden": (9,)}, r"and hidden=\(9,\) came beside it: leave them out, .* encoder=Dense\(hidden=\(9,\)\)$"),
        ({"hidden": ()}, r"and hidden=\(\) came beside it"),
        ({"activation": "tanh"}, "and activation='tanh' came beside it"),
        ({"hidden": [3, 2], "activation": "relu"}, r"and hidden=\[3, 2\] and activation='relu' came beside it"),
    ):
        with pytest.raises(ValueError, match="encoder= replaces hidden and activation, " + message):
            rules.refuse_layers_beside_encoder(AutoEncoder(encoder=encoder, **settings))
        rules.refuse_layers_beside_encoder(AutoEncoder(**settings))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_they_are_refused_before_training(method):
    with pytest.raises(ValueError, match="encoder= replaces hidden and activation"):
        getattr(AutoEncoder(2, (9,), encoder="linear"), method)(np.eye(4))


def test_an_encoder_replaces_the_layers_of_a_preset():
    zoo.contractive(latent=2, encoder=Dense((5,)), epochs=1, random_state=0).fit(np.eye(4))
