import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute
from isthmus.data.dense import DenseTable
from isthmus.data.reading import learn_table
from isthmus.data.rows import Rows
from isthmus.estimators import training
from isthmus.estimators.following import follow_numbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(300, 5))
TABLE, SCHEMA = learn_table(X, caller="Test")


def parameters(**settings):
    layers = {} if "encoder" in settings else {"hidden": (6,)}
    defaults = {"latent": 2, "epochs": 2, "random_state": 0, "compute": Compute(threads=1)}
    return AutoEncoder(**defaults | layers | settings)


def state(model):
    return {name: tensor.clone() for name, tensor in model.network.state_dict().items()}


def assert_same(one, other):
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_model_is_returned_and_the_parameters_are_left_alone():
    estimator = parameters()
    before = repr(vars(estimator))
    model = training.fit(estimator, TABLE, SCHEMA)
    assert repr(vars(estimator)) == before
    assert model.schema is SCHEMA
    assert model.record.epochs == 2
    assert model.record.history["epoch"].tolist() == [0, 1, 2]
    assert not model.network.training


def test_same_seed_same_model():
    one, same, other = (training.fit(parameters(random_state=seed), TABLE, SCHEMA) for seed in (0, 0, 1))
    assert_same(state(one), state(same))
    assert not torch.equal(next(iter(state(one).values())), next(iter(state(other).values())))
    assert torch.equal(one.record.generator, same.record.generator)


def test_equal_weights_are_no_weights():
    one, other = (training.fit(parameters(), TABLE, SCHEMA, weight) for weight in (None, np.full(300, 3.0)))
    for name, tensor in state(one).items():
        torch.testing.assert_close(tensor, state(other)[name], rtol=1e-6, atol=1e-8)


def test_rows_of_weight_0_are_left_out():
    weight = (np.arange(300) % 3 > 0).astype(float)
    one = training.fit(parameters(), TABLE, SCHEMA, weight)
    other = training.fit(parameters(), DenseTable(X[weight > 0]), SCHEMA, np.ones(200))
    assert_same(state(one), state(other))


def test_it_ends_no_worse_than_it_started():
    history = training.fit(parameters(epochs=20), TABLE, SCHEMA).record.history
    assert min(history["val_loss"]) <= history["val_loss"][0]


def test_chunks_go_on_where_the_last_one_ended():
    estimator = parameters(epochs=7)
    first = training.fit_more(estimator, None, TABLE.part(slice(0, 150)), SCHEMA)
    before, moments = state(first), first.record.stream.moments.all
    second = training.fit_more(estimator, first, TABLE.part(slice(150, 300)), SCHEMA)
    assert (first.record.epochs, second.record.epochs) == (1, 2)
    assert second.record.history["epoch"].tolist() == [1, 2]
    assert second.record.history.stopped == "partial_fit"
    assert second.record.stream.optimiser is not None
    assert not all(torch.equal(tensor, before[name]) for name, tensor in state(second).items())
    np.testing.assert_allclose(moments.mean, X[:150].mean(0), rtol=1e-9)
    np.testing.assert_allclose(second.record.stream.moments.all.mean, X.mean(0), rtol=1e-9)


def test_a_scaling_follows_the_stream_and_the_network_computes_the_same():
    estimator = parameters()
    model = training.fit_more(estimator, None, TABLE.part(slice(0, 150)), SCHEMA)
    x = torch.from_numpy(X)

    def rebuilt():
        with torch.no_grad():
            return model.scaling.inverse(model.network.eval()(model.scaling(x, model.dtype)).theta)

    before = rebuilt()
    follow_numbers(model.network, model.scaling, model.record.stream, Rows(DenseTable(X[150:] * 2 + 0.1)))
    torch.testing.assert_close(rebuilt(), before, rtol=1e-6, atol=1e-6)
    both = np.concatenate([X[:150], X[150:] * 2 + 0.1])
    np.testing.assert_allclose(model.scaling.shift, both.mean(0), rtol=1e-9)
    np.testing.assert_allclose(model.scaling.scale, both.std(0), rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"latent": 0}, "latent must be a whole number"),
        ({"likelihood": "bernoulli"}, "likelihood Bernoulli needs values"),
    ],
)
def test_bad_parameters_are_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        training.fit(parameters(**settings), TABLE, SCHEMA)
    with pytest.raises(ValueError, match=message):
        training.fit_more(parameters(**settings), None, TABLE, SCHEMA)


def test_a_chunk_outside_the_likelihood_is_refused():
    bits, schema = learn_table((X > 0).astype(float), caller="Test")
    estimator = parameters()
    estimator.scale = "none"
    model = training.fit_more(estimator, None, bits, schema)
    before = state(model)
    with pytest.raises(ValueError, match="likelihood Bernoulli needs values"):
        training.fit_more(estimator, model, TABLE, schema)
    assert_same(before, state(model))
