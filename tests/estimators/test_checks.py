"""Bad input: every error says what was expected and what came, before any training."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from isthmus import AutoEncoder, Bernoulli, Callback, Compute, Gaussian, GaussianNoise, Tied
from isthmus.estimators import checks

IRIS = load_iris().data
GAPS = IRIS.copy()
GAPS[3, 1] = np.nan
GAPS[[4, 5], 1] = np.inf
GAPS[6, 3] = -np.inf
NAMES = ["a", "b", "c", "d"]
USES = ["transform", "reconstruct", "score_samples", "score", "reconstruction_error"]


def model(**settings):
    layers = {} if "encoder" in settings else {"hidden": (8,)}
    return AutoEncoder(**{"latent": 2, "epochs": 2, "random_state": 0} | layers | settings)


@pytest.fixture(scope="module")
def fitted():
    return model().fit(IRIS)


# -- tables -----------------------------------------------------------------------------------------------------------

TABLES = {
    "empty": (IRIS[:0], ValueError, r"Found array with 0 sample\(s\).*minimum of 2 is required by AutoEncoder"),
    "one row": (IRIS[:1], ValueError, r"Found array with 1 sample\(s\).*minimum of 2 is required by AutoEncoder"),
    "no columns": (IRIS[:, :0], ValueError, r"Found array with 0 feature\(s\)"),
    "one axis": (IRIS[0], ValueError, "Expected 2D array, got 1D array instead"),
    "a number": (3.0, ValueError, "X is of type float, which is no table; give an array"),
    "nothing": (None, ValueError, "X is None, which is no table; give an array"),
    "ragged": ([[1, 2], [3]], ValueError, "rows of X have different lengths: row 0 has 2 values, and row 1 has 1"),
    "complex": (IRIS + 1j, ValueError, "Complex data not supported"),
    "dates": (IRIS.astype("M8[D]"), ValueError, r"X holds datetime64\[D\] values; AutoEncoder takes numbers"),
    "bytes": (np.array([[b"x", b"y"], [b"z", b"w"]]), ValueError, "X holds bytes that are not numbers"),
}
IN_FIT = TABLES | {
    "five axes": (IRIS[None, None, None], ValueError, r"give flat rows, X\.reshape\(len\(X\), -1\)"),
    "objects": (np.array([["x", 1], [2, 3]], dtype=object), ValueError, "column 0 mixes values of types int, str"),
    "gaps": (GAPS, ValueError, "column 1 has 2 infinite values; make them missing"),
    "gaps in objects": (GAPS.astype(object), ValueError, "column 1 has 2 infinite values; make them missing"),
    "gaps in short floats": (GAPS.astype(np.float16), ValueError, "column 1 has 2 infinite values"),
    "infinite values": (np.where(np.isnan(GAPS), 1, GAPS), ValueError, r"0 NaN and 3 infinite values \(column 1: 2, "),
}
"""Gaps alone are learned: `test_mixed_tables.py`."""
IN_USE = TABLES | {
    "text": (np.array([["x", "y"], ["z", "w"]]), ValueError, "X holds text .*OneHotEncoder or OrdinalEncoder"),
    "objects": (np.array([["x", 1], [2, 3]], dtype=object), ValueError, "X holds text .*OneHotEncoder"),
    "images": (
        IRIS[None],
        ValueError,
        r"images of the shape \(150, 4\).* flat rows of 4 numbers: give such",
    ),
    "infinite": (GAPS, ValueError, r"0 NaN and 3 infinite values \(column 1: 2, column 3: 1\)"),
    "infinite objects": (GAPS.astype(object), ValueError, r"0 NaN and 3 infinite values \(column 1: 2, column 3: 1\)"),
    "None in objects": (np.array([[1, None], [2, 3]], dtype=object), ValueError, r"1 NaN and 0 .*\(column 1: 1\)"),
    "infinite short floats": (GAPS.astype(np.float16), ValueError, r"\(column 1: 2, column 3: 1\)"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", IN_FIT)
def test_tables_that_cannot_be(kind, method):
    X, error, message = IN_FIT[kind]
    with pytest.raises(error, match=message):
        getattr(model(), method)(X)


@pytest.mark.parametrize("method", [*USES, "partial_fit"])
@pytest.mark.parametrize("kind", [kind for kind in IN_USE if kind not in ("one row", "empty", "no columns")])
def test_tables_that_cannot_be_used(fitted, kind, method):
    X, error, message = IN_USE[kind]
    if method == "partial_fit" and kind.startswith("infinite"):
        message = r"1 NaN and 3 infinite values \(column 1: 3, column 3: 1\).*columns='auto'"
    message = "has 2 features|" + message if kind in ("text", "bytes", "objects", "None in objects") else message
    with pytest.raises(error, match=message):
        getattr(fitted, method)(X)


@pytest.mark.parametrize("method", USES)
def test_wrong_number_of_columns(fitted, method):
    with pytest.raises(ValueError, match="X has 3 features, but AutoEncoder is expecting 4 features"):
        getattr(fitted, method)(IRIS[:, :3])
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        getattr(fitted, method)(IRIS[:0])


def test_wrong_number_of_columns_in_a_later_chunk():
    with pytest.raises(ValueError, match="X has 3 features, but AutoEncoder is expecting 4 features"):
        model().partial_fit(IRIS).partial_fit(IRIS[:, :3])


def test_frames_are_named_in_errors():
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    for frame in (pandas.DataFrame(GAPS, columns=NAMES), polars.DataFrame(GAPS, schema=NAMES)):
        with pytest.raises(ValueError, match="column 'b' has 2 infinite values"):
            model().fit(frame)
    missing = pandas.DataFrame({"a": pandas.array([1, None, 3], dtype="Int64"), "b": [1, 2, 3]})
    for frame in (missing, polars.DataFrame({"a": [1, None, 3], "b": [1, 2, 3]})):
        ae = model(latent=1).fit(type(frame)({"a": [1, 2, 3], "b": [1, 2, 3]}))
        assert np.isfinite(ae.transform(frame)).all()
        with pytest.raises(ValueError, match="column 'a' has missing cells, and there were none in fit"):
            ae.partial_fit(frame)


def test_text_in_frames():
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    columns = {"a": ["x", "y"], "b": [1, 2]}
    category = pandas.DataFrame(columns).astype({"a": "category"})
    for frame in (pandas.DataFrame(columns), category, polars.DataFrame(columns)):
        ae = model(latent=1).fit(type(frame)({"a": [1, 2], "b": [1, 2]}))
        with pytest.raises(ValueError, match=r"X holds text .*OneHotEncoder or OrdinalEncoder"):
            ae.transform(frame)
        assert [column.kind for column in model(latent=1).fit(frame).columns_] == ["category", "count"]


def test_other_columns_than_in_fit():
    pandas = pytest.importorskip("pandas")
    ae = model().fit(pandas.DataFrame(IRIS, columns=NAMES))
    for columns in ("abcx", "xyzw"):
        with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
            ae.transform(pandas.DataFrame(IRIS, columns=list(columns)))
    turned = pandas.DataFrame(IRIS, columns=NAMES)[["d", "b", "a", "c"]]
    np.testing.assert_array_equal(ae.transform(turned), ae.transform(pandas.DataFrame(IRIS, columns=NAMES)))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        ae.transform(IRIS)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.ones((3, 4)), "codes of this model have 2 numbers, but Z has 4 columns"),
        (np.ones(2), "Expected 2D array, got 1D array"),
        ([[1.0, np.nan]], "contains NaN"),
        ([["a", "b"]], "could not convert string|bytes/strings"),
        (np.ones((0, 2)), r"0 sample\(s\)"),
    ],
)
def test_codes_that_cannot_be(fitted, codes, message):
    with pytest.raises(ValueError, match=message):
        fitted.inverse_transform(codes)


@pytest.mark.parametrize("method", [*USES, "inverse_transform", "save", "get_feature_names_out"])
def test_not_fitted(method, tmp_path):
    arguments = {"save": [tmp_path / "model"], "get_feature_names_out": []}.get(method, [IRIS])
    with pytest.raises(NotFittedError, match="This AutoEncoder instance is not fitted yet"):
        getattr(model(), method)(*arguments)


# -- values that the likelihood does not allow ------------------------------------------------------------------------

OUTSIDE = r"likelihood Bernoulli needs values in \[0, 1\], but column 0 goes from 4.3 to 7.9 after scaling \(4 of 4"


@pytest.mark.parametrize("likelihood", ["bernoulli", Bernoulli()])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_outside_in_fit(likelihood, method):
    ae = model(likelihood=likelihood, scale="none")
    with pytest.raises(ValueError, match=OUTSIDE + r".*take scale='minmax', or likelihood='gaussian'"):
        getattr(ae, method)(IRIS)


def test_outside_names_the_column_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(IRIS, columns=NAMES)
    with pytest.raises(ValueError, match=r"column 'a' goes from"):
        model(likelihood="bernoulli").fit(frame)
    ae = model(likelihood="bernoulli", scale="minmax").fit(frame)
    frame["c"] += 100
    with pytest.raises(ValueError, match=r"column 'c' goes from .* \(1 of 4 columns are outside\)"):
        ae.score(frame)


def test_outside_in_use():
    ae = model(likelihood="bernoulli", scale="minmax").fit(IRIS)
    for method in (ae.score_samples, ae.score, ae.partial_fit):
        with pytest.raises(ValueError, match=r"likelihood Bernoulli needs values in \[0, 1\], but column 0 goes"):
            method(IRIS + 10)
    assert np.isfinite(ae.transform(IRIS + 10)).all(), "codes need no likelihood"
    ae.score(IRIS)


def test_chosen_by_the_data_and_outside_later():
    binary = (IRIS - IRIS.mean(0) > 0).astype(float)
    ae = model().fit(binary)
    with pytest.raises(ValueError, match="likelihood Bernoulli needs values"):
        ae.score(IRIS)


def test_rounding_is_not_outside():
    ae = model(likelihood="bernoulli", scale="minmax").fit(IRIS.astype(np.float32))
    assert np.isfinite(ae.score(IRIS.astype(np.float32)))


# -- weights of rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"sample_weight.shape == \(2,\), expected \(150,\)"),
        (np.ones((150, 1)), "Sample weights must be 1D array or scalar"),
        (np.full(150, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.full(150, np.nan), "sample_weight contains NaN"),
        (np.full(150, np.inf), "sample_weight contains infinity"),
        (np.zeros(150), "at least one non-zero number|0 sample weights are positive"),
        (np.eye(150)[0], "1 sample weights are positive, but at least 2 must be"),
    ],
)
def test_weights_that_cannot_be(weight, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(model(), method)(IRIS, sample_weight=weight)


# -- parameters -------------------------------------------------------------------------------------------------------

WHOLE = "must be a whole number of at least 1; got"
PARTS = {
    "encoder": r"encoder must have build_encoder\(features, outputs\), like .*Dense, Linear, Principal, or be a name; ",
    "decoder": r"decoder must have build_decoder\(latent, outputs, encoder\), like .*Tied, or be a name; ",
    "code": r"code must have build\(latent\), like .*Deterministic, .*, or be a name; ",
    "likelihood": r"likelihood must have build\(features\), like Bernoulli, .*, or be a name; ",
    "penalty": r"penalty must have build\(features, latent\), like .*L1, .*, or be a name; ",
    "corruption": r"corruption must have build\(features\), like Blocks, GaussianNoise, .*, or be a name; ",
    "objective": r"objective must have build\(features, latent\), like ImportanceWeighted, or be a name; ",
}
"""What the error of each slot says."""
NAMED = ("activation", "init", "scale", "schedule", "optimizer")
"""Parameters that are one of a few names."""
PARAMETERS = [
    *[("latent", value, "latent must be a whole number of at least 1, ") for value in (0, -1, "x", None, True, [3])],
    *[("latent", value, r"share of the variance in \(0, 1\); got") for value in (1.5, 0.0, 1.0, -0.5, float("nan"))],
    ("latent", 10**9, r"layers of 4-8-1000000000 units are too large: they would take 238 GiB to train"),
    *[
        ("hidden", value, "hidden must be whole numbers of at least 1, one width per layer; got")
        for value in ((0,), (-3,), (8, 0), (2.5,), ("a",), (True,), None, "ab", {"a": 1})
    ],
    ("activation", "rleu", "unknown activation 'rleu'; did you mean 'relu'"),
    ("encoder", "dens", "unknown encoder 'dens'; did you mean 'dense'"),
    ("decoder", "tide", "unknown decoder 'tide'; did you mean 'tied'"),
    ("code", "determinstic", "unknown code 'determinstic'; did you mean 'deterministic'"),
    ("likelihood", "gausian", "unknown likelihood 'gausian'; did you mean 'gaussian'"),
    ("penalty", "l2", "unknown penalty 'l2'; did you mean 'l1'"),
    ("corruption", "gausian_noise", "unknown corruption 'gausian_noise'; did you mean 'gaussian_noise'"),
    ("objective", "importance", "unknown objective 'importance'; did you mean 'importance_weighted'"),
    *[(slot, 3, f"{message}int has none: got 3") for slot, message in PARTS.items()],
    *[(slot, Compute(), f"{message}Compute has none: got Compute") for slot, message in PARTS.items()],
    *[(slot, Gaussian, f"{slot} must be a part, not its class: take Gaussian") for slot in PARTS],
    *[(slot, None, f"{PARTS[slot]}NoneType has none: got None") for slot in ("code", "likelihood")],
    ("encoder", Tied(), f"{PARTS['encoder']}Tied has none: got Tied"),
    ("penalty", ["l1", 0.1], f"{PARTS['penalty']}float has none: got 0.1"),
    ("likelihood", Gaussian("optimum"), "variance of Gaussian must be a positive number, 'optimal', 'col"),
    ("likelihood", Gaussian(-1.0), "variance of Gaussian must be a positive number"),
    ("corruption", GaussianNoise(-1), "scale of GaussianNoise must be a number of at least 0; got -1"),
    *[(name, value, f"unknown {name} {value}") for name in NAMED for value in (3, True)],
    *[(name, ["x"], rf"unknown {name} \['x'\]") for name in NAMED],
    ("init", "pcaa", "unknown init 'pcaa'; did you mean 'pca'"),
    ("init", None, "unknown init None"),
    ("scale", "standart", "unknown scale 'standart'; did you mean 'standard'"),
    ("columns", "rael", "unknown columns 'rael'; did you mean 'real'"),
    ("columns", {0: "rael"}, "unknown kind of column 'rael'; did you mean 'real'"),
    ("columns", {9: "real"}, r"columns= names 9, which the table does not have; it has \[0, 1, 2, 3\]"),
    *[("columns", value, "columns must be None, 'auto', .* a sequence of 4 kinds; got") for value in (3, ["real"])],
    ("schedule", "cosin", "unknown schedule 'cosin'; did you mean 'cosine'"),
    ("optimizer", "adm", "unknown optimizer 'adm'; did you mean 'adam'"),
    *[("epochs", value, f"epochs {WHOLE}") for value in (0, 2.0, "x", None, True, [3])],
    *[("batch_size", value, f"batch_size {WHOLE}") for value in (0, 1.5, "x", None, True)],
    *[
        ("learning_rate", value, "learning_rate must be a positive number; got")
        for value in (0, -1, "x", None, True, float("inf"), float("nan"))
    ],
    *[("validation", value, r"validation must be a number in \[0, 1\); got") for value in (1.0, -1, float("nan"))],
    *[("validation", value, "validation must be 'auto', a share of the rows") for value in ("x", None, True)],
    *[("patience", value, f"patience {WHOLE}") for value in (0, True, "x", 1.5)],
    *[("floor", value, "unknown floor .*'auto', 'return', 'tell'") for value in ("keep", None, 3)],
    *[("compute", value, "compute must be 'auto', the name of a device") for value in (None, 3, ["cpu"])],
    ("compute", "gpu", "unknown device 'gpu'"),
    ("compute", "meta", "device='meta' is not available on this machine; take device='auto' or 'cpu'"),
    ("compute", Compute(device=3), "unknown device 3"),
    ("compute", Compute(precision="float31"), "unknown precision 'float31'; did you mean 'float32'"),
    *[("compute", Compute(threads=value), f"threads {WHOLE}") for value in (0, "x", True)],
    ("compute", Compute(compile="yes"), "compile must be True or False; got 'yes'"),
    ("compute", Compute(cuda_graph=1), "cuda_graph must be True or False; got 1"),
    ("compute", Compute(matmul="blas"), "unknown matmul 'blas'"),
    *[("random_state", value, "random_state must be None, a whole number in") for value in (-1, "x", 1.5, 2**64, True)],
    *[("verbose", value, "verbose must be a whole number of at least 0; got") for value in (-1, "x", None, 0.5, [1])],
    *[
        ("callbacks", value, "callbacks must be a sequence of isthmus.Callback objects; got")
        for value in (3, "x", [3], [print], Callback(), Callback, [Callback])
    ],
]


def test_every_parameter_is_tested():
    assert {name for name, _, _ in PARAMETERS} == set(AutoEncoder().get_params(deep=False))


@pytest.mark.parametrize(("name", "value", "message"), PARAMETERS, ids=lambda value: repr(value)[:30])
def test_parameters_that_cannot_be(name, value, message, monkeypatch):
    monkeypatch.setattr(checks, "memory", lambda: 2**34)
    ae = model(**{name: value})
    with pytest.raises(ValueError, match=message):
        ae.fit(IRIS)


BY_THE_TABLE = ("which the table does not have", "a sequence of 4 kinds")
"""What is said only once the columns are known."""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [one for one in PARAMETERS if not any(words in one[2] for words in BY_THE_TABLE)],
    ids=lambda value: repr(value)[:30],
)
def test_they_are_refused_before_there_are_data(name, value, message, monkeypatch):
    monkeypatch.setattr(checks, "memory", lambda: 2**34)
    with pytest.raises(ValueError, match=message.replace("layers of 4-", "layers of 64-")):
        model(**{name: value}).check_parameters()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu():
    with pytest.raises(ValueError, match="device='cuda' is not available on this machine; take device='auto' or 'cpu'"):
        model(compute="cuda").fit(IRIS)


TRAINING = ("epochs", "batch_size", "learning_rate", "validation", "patience", "schedule", "optimizer")


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, value, _ in PARAMETERS], ids=lambda value: repr(value)[:30]
)
def test_a_first_fit_that_fails_leaves_it_unfitted(name, value, monkeypatch):
    monkeypatch.setattr(checks, "memory", lambda: 2**34)
    ae = model(**{name: value})
    with pytest.raises(ValueError):  # noqa: PT011  (what it says is tested above)
        ae.fit(IRIS)
    with pytest.raises(NotFittedError):
        ae.transform(IRIS)


def results(ae):
    return [ae.transform(IRIS), ae.reconstruct(IRIS), ae.score_samples(IRIS), repr(ae.history_), ae.n_features_in_]


def assert_second_fit_changes_nothing(X, **settings):
    ae = model().fit(IRIS)
    before, kept = results(ae), ae.get_params()
    ae.set_params(**settings)
    with pytest.raises(ValueError):  # noqa: PT011  (what it says is tested above)
        ae.fit(X)
    ae.set_params(**kept)
    for one, other in zip(results(ae), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, value, _ in PARAMETERS if name in TRAINING],
    ids=lambda value: repr(value)[:30],
)
def test_training_that_cannot_be_leaves_the_old_model(name, value):
    assert_second_fit_changes_nothing(IRIS * 3 + 1, **{name: value})


@pytest.mark.parametrize(
    ("X", "settings"),
    [
        (IRIS, {"likelihood": "bernoulli", "scale": "none"}),
        (IRIS * 3 + 1, {"penalty": "l2"}),
        (IRIS * 3 + 1, {"hidden": (0,)}),
        (np.full((9, 3), np.inf), {}),
    ],
    ids=["likelihood", "penalty", "hidden", "infinite"],
)
def test_a_second_fit_that_fails_leaves_the_old_model(X, settings):
    assert_second_fit_changes_nothing(X, **settings)


# -- smaller pieces ---------------------------------------------------------------------------------------------------


def test_seeds():
    assert checks.seed(5) == checks.seed(np.int64(5)) == 5
    assert checks.seed(2**64 - 1) == 2**64 - 1
    assert checks.seed(None) != checks.seed(None)
    for kind in (np.random.RandomState, np.random.default_rng):
        source = kind(0)
        first, second = checks.seed(source), checks.seed(source)
        assert first != second
        assert first == checks.seed(kind(0))


def test_a_generator_goes_on_from_fit_to_fit():
    source = np.random.default_rng(0)
    one, other = model(random_state=source).fit(IRIS), model(random_state=source).fit(IRIS)
    assert not np.array_equal(one.transform(IRIS), other.transform(IRIS))


def test_memory_unknown_is_no_limit(monkeypatch):
    monkeypatch.setattr(checks, "memory", lambda: None)
    checks.refuse_too_large(10**6, (128,), 10**12)


@pytest.mark.parametrize(("latent", "refused"), [(2**19, False), (2**19 + 1, True)])
def test_size_against_memory(monkeypatch, latent, refused):
    monkeypatch.setattr(checks, "memory", lambda: 2**34)
    if refused:
        with pytest.raises(ValueError, match="this machine has 16 GiB"):
            checks.refuse_too_large(2**10, (), latent)
    else:
        checks.refuse_too_large(2**10, (), latent)


@pytest.mark.parametrize("factor", [1e-100, 1e-30, 1e-5, 1e5, 1e30, 1e100])
def test_numbers_of_any_size(factor):
    ae, plain = (model(scale="standard", floor="return").fit(X) for X in (IRIS * factor, IRIS))
    np.testing.assert_allclose(ae.reconstruct(IRIS * factor) / factor, plain.reconstruct(IRIS), rtol=1e-3, atol=1e-3)


def test_numbers_whose_squares_overflow():
    with pytest.raises(ValueError, match=r"too large to be squared \(column 0: 5\.1e\+200\)"):
        model().fit(IRIS * 1e200)
