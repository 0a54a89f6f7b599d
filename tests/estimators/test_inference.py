import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Bernoulli, Compute
from isthmus.data.dense import DenseTable
from isthmus.data.reading import read_table
from isthmus.engine.inference import BLOCK
from isthmus.estimators.inference import Inference, in_its_type, uninitialised

pandas = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2 * BLOCK + 37, 2)) @ RNG.normal(size=(2, 4)) + 0.1 * RNG.normal(size=(2 * BLOCK + 37, 4))
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
USES = [
    Inference.encode,
    Inference.reconstruct,
    Inference.log_likelihood,
    Inference.column_log_likelihood,
    Inference.error,
]
every_use = pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)


def fitted(X, **settings):
    return AutoEncoder(2, (6,), epochs=2, random_state=0, **settings).fit(X)


@pytest.fixture(scope="module", params=["numbers", "gaps"])
def given(request):
    X_ = X if request.param == "numbers" else GAPS
    model = fitted(X_[:200]).model_
    return Inference(model, Compute(threads=1)), read_table(X_, model.schema, caller="Test")


@every_use
def test_a_row_gets_the_same_bits_wherever_it_stands(given, use):
    inference, table = given
    whole = use(inference, table)
    assert len(whole) == len(table)
    for rows in (slice(0, 1), slice(BLOCK - 1, BLOCK + 1), slice(5, 2 * BLOCK + 6), slice(len(table) - 1, len(table))):
        np.testing.assert_array_equal(use(inference, table.part(rows)), whole[rows])
    order = RNG.permutation(len(table))
    np.testing.assert_array_equal(use(inference, DenseTable(table.drawn(order))), whole[order])


@every_use
def test_threads_are_put_back(given, use, three_threads):
    use(*given)
    assert torch.get_num_threads() == 3


def test_a_reconstruction_is_the_code_decoded(given):
    inference, table = given
    rebuilt = inference.decode(inference.encode(table))
    np.testing.assert_allclose(rebuilt, inference.reconstruct(table), rtol=1e-5, atol=1e-5)


def test_columns_add_up(given):
    inference, table = given
    columns = inference.column_log_likelihood(table)
    assert columns.shape == table.shape
    np.testing.assert_allclose(columns.sum(1), inference.log_likelihood(table), rtol=1e-9, atol=1e-9)


def test_shapes_and_types(given):
    inference, table = given
    n = len(table)
    shapes = {use.__name__: use(inference, table).shape for use in USES}
    assert shapes == {
        "encode": (n, 2),
        "reconstruct": (n, 4),
        "log_likelihood": (n,),
        "column_log_likelihood": (n, 4),
        "error": (n,),
    }
    assert all(use(inference, table).dtype == np.float64 for use in USES)


def test_the_error_is_the_mean_square_in_the_datas_units():
    model = fitted(X[:200] * 7 + 3).model_
    inference, table = Inference(model, Compute(threads=1)), DenseTable(X * 7 + 3)
    expected = ((inference.reconstruct(table) - table.numbers) ** 2).mean(1)
    np.testing.assert_allclose(inference.error(table), expected, rtol=1e-5)


@pytest.mark.parametrize(("dtype", "expected"), [("float32", "float32"), ("uint8", "float32"), ("float64", "float64")])
def test_results_have_the_type_that_holds_the_rows(dtype, expected):
    model = fitted(X[:200]).model_
    inference, table = Inference(model, Compute(threads=1)), DenseTable(np.abs(10 * X).astype(dtype))
    assert inference.encode(table).dtype == inference.reconstruct(table).dtype == expected
    assert in_its_type(np.ones(3), table).dtype == expected


def test_values_outside_the_likelihood_are_not_scored():
    bits = (X > 0).astype(float)
    model = fitted(bits, likelihood=Bernoulli()).model_
    inference = Inference(model, Compute(threads=1))
    inference.encode(DenseTable(X))
    for use in (Inference.log_likelihood, Inference.column_log_likelihood):
        with pytest.raises(ValueError, match=r"likelihood Bernoulli needs values in \[0, 1\]"):
            use(inference, DenseTable(X))


def test_new_memory_has_the_type_of_the_weights():
    assert uninitialised(fitted(X[:200].astype(np.float32)).model_).dtype == torch.float32
    assert uninitialised(fitted(X[:200]).model_).dtype == torch.float64
