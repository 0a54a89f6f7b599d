import json
from decimal import Decimal

import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute, Dense, zoo
from isthmus.estimators.model_state import model_of, state_of
from isthmus.estimators.plain import known_classes
from isthmus.estimators.saved_schema import plain_schema, revived_schema
from isthmus.estimators.state import State

pandas = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
FRAME = pandas.DataFrame(
    {
        "real": X[:, 0],
        "gap": np.where(X[:, 1] > 1, np.nan, X[:, 1]),
        "kind": np.where(X[:, 2] > 0, "a", "b"),
        "flag": X[:, 3] > 0,
        "when": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(range(60), unit="D"),
        "large": np.arange(60) ** 2 + 2**61,
    }
)
TABLES = {
    "array": X,
    "float32": X.astype(np.float32),
    "frame of numbers": pandas.DataFrame(X, columns=list("abcd")),
    "several kinds": FRAME,
    "numbers and times as text": pandas.DataFrame(
        {
            "amount": [f"${1000 * abs(value):,.2f}" for value in X[:, 0]],
            "day": [f"{1 + row % 28}.{1 + row % 12}.2024" for row in range(60)],
            "at": pandas.date_range("2024-01-01", periods=60, freq="7h", tz="dateutil/America/New_York"),
            "price": [Decimal(f"{value:.2f}") for value in X[:, 1]],
            "band": pandas.cut(X[:, 2], 3),
        }
    ),
    "array with gaps": np.where(X > 1.5, np.nan, X),
}
MAKERS = {
    "plain": lambda: AutoEncoder(2, (6,), epochs=1, random_state=0),
    "deep": lambda: AutoEncoder(2, encoder=Dense((6, 5), "relu", norm="batch"), epochs=1, random_state=0),
    "variational": lambda: zoo.variational(2, epochs=1, random_state=0),
    "quantised": lambda: zoo.vector_quantised(2, codes=16, width=2, epochs=1, random_state=0),
    "wide": lambda: AutoEncoder(2, (6,), epochs=1, random_state=0, compute=Compute(precision="float64")),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:column '(day|at)'. the place of its times:UserWarning"),
    pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning"),
    pytest.mark.filterwarnings("ignore:column 'when'. the place of its times"),
]


def there_and_back(model):
    facts, tensors = state_of(model)
    return model_of(State(json.loads(json.dumps(facts, allow_nan=False)), dict(tensors)), known_classes())


def assert_same_tensors(one, other):
    assert list(one) == list(other)
    for name, tensor in one.items():
        assert tensor.dtype == other[name].dtype
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("maker", MAKERS)
def test_a_model_comes_back_to_the_bit(table, maker):
    model = MAKERS[maker]().fit(TABLES[table]).model_
    back = there_and_back(model)
    assert back.schema == model.schema
    assert back.dtype == model.dtype
    assert_same_tensors(back.network.state_dict(), model.network.state_dict())
    assert_same_tensors(back.scaling.state_dict(), model.scaling.state_dict())
    assert_same_tensors(back.record.stream.moments.state, model.record.stream.moments.state)
    assert repr(back.composition) == repr(model.composition)
    assert not back.network.training
    assert back.record.history.to_dict() == model.record.history.to_dict()
    assert back.record.report.to_dict() == model.record.report.to_dict()
    assert back.record.epochs == model.record.epochs
    assert torch.equal(back.record.generator, model.record.generator)


def test_a_second_state_is_the_first():
    model = MAKERS["plain"]().fit(FRAME).model_
    one, other = state_of(model), state_of(there_and_back(model))
    assert json.dumps(one.facts) == json.dumps(other.facts)
    assert_same_tensors(dict(one.tensors), dict(other.tensors))


@pytest.mark.parametrize("table", TABLES)
def test_schemas_come_back(table):
    schema = MAKERS["plain"]().fit(TABLES[table]).model_.schema
    assert revived_schema(json.loads(json.dumps(plain_schema(schema))), known_classes()) == schema


def changed(model, **facts):
    state = state_of(model)
    return State(dict(state.facts) | facts, state.tensors)


@pytest.mark.parametrize(
    ("facts", "error", "message"),
    [
        ({"dtype": "float16"}, ValueError, "unknown number type of weights 'float16'"),
        ({"dtype": "nonsense"}, ValueError, "nonsense"),
        (
            {"table": {"n_features": 3, "names": None, "frame": None, "columns": None, "row_shape": None}},
            ValueError,
            "columns, and 3 columns",
        ),
        ({"composition": {}}, TypeError, "missing"),
    ],
)
def test_facts_that_do_not_fit(facts, error, message):
    model = MAKERS["plain"]().fit(X).model_
    with pytest.raises(error, match=message):
        model_of(changed(model, **facts), known_classes())
