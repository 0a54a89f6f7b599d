"""Whatever finite cells, codes and gaps are given to a fitted model, results are finite and nothing is warned of."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.utils import get_tags

from isthmus import AnomalyDetector, AutoEncoder, Compute, Gaussian, Laplace, StudentT
from isthmus.zoo.family import FAMILIES

pytestmark = [
    pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning"),
    pytest.mark.filterwarnings("ignore:latent=.* is not smaller than:UserWarning"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2)) @ RNG.normal(size=(2, 8)) + 0.1 * RNG.normal(size=(120, 8))
COUNTS = RNG.poisson(3.0, (120, 8)).astype(float)
LARGE = [1e7, 1e10, 1e19, 1e20, 9.96921e36, 1e39, 1e100, 1e300]
CELLS = [0.0, -0.0, 5e-324, 1.0, *LARGE, *(-value for value in LARGE), np.nan]
METHODS = ("transform", "reconstruct", "score_samples", "score_columns", "reconstruction_error", "indices")
DETECTION = ("score_samples", "decision_function", "pvalues", "predict")
SETTINGS = {
    "k_sparse": {"top_k": 2},
    "overcomplete": {"latent": 12},
    "convolutional": {"shape": "signal", "channels": (4,)},
    "convolutional_variational": {"shape": "signal", "channels": (4,)},
    "vector_quantised": {"codes": 8, "width": 2},
    "importance_weighted": {"samples": 2},
}
PRESETS = [AutoEncoder, *(preset for presets in FAMILIES.values() for preset in presets)]
LIKELIHOODS = [
    "gaussian",
    Gaussian("learned"),
    Gaussian("columns"),
    "laplace",
    Laplace("learned"),
    "student_t",
    StudentT(scale="learned"),
]
COUNTING = ["poisson", "negative_binomial", "multinomial"]


def small(make=AutoEncoder, **settings):
    return make(**({"latent": 4, "epochs": 1, "random_state": 0} | SETTINGS.get(make.__name__, {}) | settings))


def with_cell(value, rows=X, column=0):
    spoiled = rows[:3].copy()
    spoiled[1, column] = value
    return spoiled


def results(model, rows, methods=METHODS):
    """Return every result by its method; raise if one warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {name: np.asarray(getattr(model, name)(rows)) for name in methods if hasattr(model, name)}


def assert_finite(found):
    assert all(np.isfinite(result).all() for result in found.values()), found


@pytest.mark.parametrize("make", PRESETS, ids=lambda make: make.__name__)
def test_results_of_every_preset_are_finite(make):
    model = small(make).fit(X)
    plain = results(model, X[:3])
    takes_gaps = get_tags(model).input_tags.allow_nan
    for value in CELLS:
        if np.isnan(value) and not takes_gaps:
            with pytest.raises(ValueError, match="X contains NaN, missing cells, in column 0"):
                model.transform(with_cell(value))
            continue
        found = results(model, with_cell(value))
        assert_finite(found)
        for name, result in found.items():
            np.testing.assert_array_equal(result[[0, 2]], plain[name][[0, 2]], err_msg=name)
    for rows in (
        X[:3] > 0,
        np.full((2, 8), 2**63, dtype=np.uint64),
        np.full((2, 8), -(2**63)),
        with_cell(1e38).astype("f4"),
    ):
        assert_finite(results(model, rows))
    for value in (0.0, 1e20, -1e300):
        codes = model.transform(X[:2])
        codes[0, 0] = value
        assert np.isfinite(model.inverse_transform(codes)).all()


def assert_falls(model, methods, rows=X, column=0):
    """Check that a row's scores fall, and its error rises, as a cell grows in either direction."""
    for sign in (1, -1) if rows is X else (1,):
        found = [results(model, with_cell(sign * value, rows, column), methods) for value in LARGE]
        for name in methods:
            scores = np.array([result[name][1] for result in found])
            assert (np.diff(-scores if name == "reconstruction_error" else scores) <= 0).all(), (name, scores)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("scale", ["standard", "minmax", "global", "none"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=str)
def test_scores_fall_as_a_cell_grows(precision, scale, likelihood):
    model = small(likelihood=likelihood, scale=scale, latent=2, hidden=(8,), compute=Compute(precision=precision)).fit(
        X
    )
    assert_falls(model, ["score_samples", "reconstruction_error"])
    scores = [model.score_samples(with_cell(value))[1] for value in (1e19, 1e20, 1e39, 1e100, 1e300)]
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize("likelihood", COUNTING)
def test_scores_of_counts(likelihood):
    model = small(likelihood=likelihood, latent=2, hidden=(8,)).fit(COUNTS)
    assert_falls(model, ["score_samples", "reconstruction_error"], COUNTS)
    for value in (0.0, -0.0, 1e19, 1e300):
        assert_finite(results(model, with_cell(value, COUNTS)))
    for value, message in (
        (-1.0, "needs values of at least 0"),
        (-1e300, "at least 0"),
        (0.5, "has fractions: round it"),
    ):
        said = set()
        for name in ("transform", "reconstruct", "score_samples", "score_columns", "reconstruction_error"):
            for rows in (with_cell(value, COUNTS), scipy.sparse.csr_array(with_cell(value, COUNTS))):
                with pytest.raises(ValueError, match=message) as raised:
                    getattr(model, name)(rows)
                said.add(str(raised.value))
        assert len(said) == 1


def test_mixed_tables():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"real": X[:, 0], "skewed": np.exp(3 * X[:, 1]), "kind": np.where(X[:, 2] > 0, "a", "b")})
    frame.loc[5, "real"] = np.nan
    model = small(latent=2).fit(frame)
    for column in ("real", "skewed"):
        for value in (v for v in CELLS if not (column == "skewed" and v < 0)):
            rows = frame[:3].copy()
            rows.loc[1, column] = value
            assert_finite(results(model, rows, ("transform", "score_samples", "score_columns", "reconstruction_error")))
            assert np.isfinite(model.reconstruct(rows)[["real", "skewed"]]).all(axis=None)
    scores = [model.score_samples(frame[:1].assign(real=value))[0] for value in LARGE]
    assert (np.diff(scores) < 0).all()


def distance(train):
    return lambda rows: np.log1p(np.abs(rows - train.mean(0))).sum(1)


NAMED = ["auto", "denoiser", "residual", "likelihood", "mahalanobis", "neighbours", "histogram"]


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("setting", ["clean", "contaminated"])
@pytest.mark.parametrize("method", [*NAMED, distance], ids=[*NAMED, "own"])
def test_detectors(setting, method):
    detector = AnomalyDetector(setting, method, random_state=0).fit(X)
    assert_falls(detector, ["score_samples", "decision_function", "pvalues"])
    for value in CELLS:
        assert_finite(results(detector, with_cell(value), DETECTION))
    for value in (1e19, 1e300, np.nan):
        explained = detector.explain(with_cell(value))
        assert np.isfinite(explained.contributions).all()
        assert np.isfinite(explained.expected).all()
        assert len(detector.report(with_cell(value), 2)) == 2
