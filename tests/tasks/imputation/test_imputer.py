import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from isthmus import AutoEncoder, Compute, Imputer, Masking, Tied, load
from isthmus.data.reading import read_table
from isthmus.engine.compute import compute
from isthmus.tasks.imputation import members
from isthmus.tasks.imputation.members import expected_cells, masked_autoencoder
from isthmus.tasks.imputation.table_cells import TableCells

WINE = load_wine().data


def small(**settings):
    member = AutoEncoder(
        latent=8,
        hidden=(32,),
        epochs=30,
        corruption=Masking(0.3, value=None, score="hidden"),
        compute=Compute(threads=1),
    )
    return Imputer(**{"estimator": member, "members": 2, "random_state": 0} | settings)


def with_gaps(X, rate=0.2, seed=0):
    gaps = np.random.default_rng(seed).random(X.shape) < rate
    return np.where(gaps, np.nan, X), gaps


def quick():
    member = AutoEncoder(
        latent=4, hidden=(8,), epochs=2, corruption=Masking(0.3, value=None), compute=Compute(threads=1)
    )
    return Imputer(member, members=1, random_state=0)


@parametrize_with_checks([quick()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def of_wine():
    return small().fit(with_gaps(WINE)[0])


def test_what_is_there_stays_and_nothing_is_missing(of_wine):
    X, gaps = with_gaps(WINE)
    filled = of_wine.transform(X)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~gaps], WINE[~gaps])


def test_better_than_means_and_within_what_occurs(of_wine):
    X, gaps = with_gaps(WINE)
    filled = of_wine.transform(X)
    means = np.where(gaps, np.nanmean(X, axis=0), X)
    spread = WINE.std(0)
    assert (((filled - WINE) / spread)[gaps] ** 2).mean() < 0.7 * (((means - WINE) / spread)[gaps] ** 2).mean()
    assert (filled.min(0) >= np.nanmin(X, axis=0)).all()
    assert (filled.max(0) <= np.nanmax(X, axis=0)).all()


def test_same_seed_same_values_and_rows_by_themselves(of_wine):
    X, _ = with_gaps(WINE)
    imputer = of_wine
    filled = imputer.transform(X)
    np.testing.assert_array_equal(clone(imputer).fit_transform(X), filled)
    np.testing.assert_array_equal(imputer.transform(X[7:8]), filled[7:8])
    np.testing.assert_array_equal(imputer.transform(X[::-1])[::-1], filled)


def test_rows_that_were_not_there_in_fit():
    X, gaps = with_gaps(WINE)
    filled = small().fit(X[::2]).transform(X[1::2])
    means = np.nanmean(X[::2], axis=0)
    there = gaps[1::2]
    errors = [(((guess - WINE[1::2]) / WINE.std(0))[there] ** 2).mean() for guess in (filled, means + 0 * filled)]
    assert errors[0] < 0.8 * errors[1]


def test_draws_vary_as_much_as_they_may_be_wrong():
    X, gaps = with_gaps(WINE, 0.1)
    imputer = small().fit(X)
    draws = np.stack(list(imputer.draws(X, 40, random_state=0)))
    np.testing.assert_array_equal(draws[:, ~gaps], np.broadcast_to(WINE[~gaps], (40, (~gaps).sum())))
    mean, deviation = draws.mean(0)[gaps], draws.std(0)[gaps]
    inside = (np.abs(WINE[gaps] - mean) < 2 * deviation).mean()
    assert 0.8 < inside <= 1
    once = small(fill="draw").fit(X)
    np.testing.assert_array_equal(once.transform(X), once.transform(X))
    assert not np.array_equal(once.transform(X), imputer.transform(X))


def test_frames_of_several_kinds():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    kinds = rng.integers(3, size=400)
    frame = pandas.DataFrame(
        {
            "x": kinds * 2.0 + 0.1 * rng.normal(size=400),
            "name": np.array(["a", "bb", "c"])[kinds],
            "flag": pandas.array(kinds == 1, dtype="boolean"),
            "count": pandas.array(kinds * 4, dtype="Int64"),
        },
        index=range(1000, 1400),
    )
    holed = frame.mask(rng.random(frame.shape) < 0.15)
    filled = small(members=1).fit_transform(holed)
    assert not filled.isna().any().any()
    assert (filled.dtypes == holed.dtypes).all()
    pandas.testing.assert_index_equal(filled.index, frame.index)
    for name in ("name", "flag", "count"):
        there = holed[name].notna()
        assert (filled[name][there] == frame[name][there]).all()
        assert (filled[name] == frame[name])[~there].mean() > 0.7


def test_polars_comes_back():
    polars = pytest.importorskip("polars")
    X, _ = with_gaps(load_iris().data)
    frame = polars.DataFrame(X, schema=list("abcd")).fill_nan(None)
    filled = quick().fit(frame).transform(frame)
    assert filled.schema == frame.schema
    assert sum(filled.null_count().row(0)) == 0


def test_a_column_without_values_stays_missing():
    X, _ = with_gaps(load_iris().data)
    X[:, 2] = np.nan
    imputer = quick()
    with pytest.warns(UserWarning, match="column 2 is ignored: it has no values"):
        filled = imputer.fit(X).transform(X)
    assert np.isnan(filled[:, 2]).all()
    assert np.isfinite(np.delete(filled, 2, axis=1)).all()


# -- draws follow the likelihood of each column -----------------------------------------------------------------------

ROWS, REPEATS, DRAWS = 40, 100, 4


@pytest.fixture(scope="module")
def several():
    """A table in which one column says much about a count with more spread than a Poisson's and about a category."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=1500)
    rate = np.where(group, 8.0, 2.0)
    return pandas.DataFrame(
        {
            "group": np.where(group, "high", "low"),
            "count": rng.poisson(rng.gamma(2.0, rate / 2.0)),
            "kind": np.where(rng.random(1500) < np.where(group, 0.8, 0.3), "a", "b"),
            "flag": rng.random(1500) < np.where(group, 0.9, 0.2),
            "real": group + 0.3 * rng.normal(size=1500),
        }
    )


@pytest.fixture(scope="module")
def fitted(several):
    return small(members=1, columns={"count": "count"}).fit(several)


def hidden(several, name):
    return several[:ROWS].astype({name: object}).assign(**{name: None})


def expected(imputer, X):
    """Return the expected outcome of every cell, (n, cells), and which cells each column has."""
    model = imputer.models_[0]
    numbers = np.asarray(read_table(X, model.schema, caller="Imputer").drawn(np.arange(len(X))))
    view = TableCells(model.schema)
    found = imputer.filling_.expected(view, numbers, lambda rows: expected_cells(model, rows, compute("cpu")))
    return found, {group.name: group.targets for group in view.groups}


def drawn(imputer, X, name):
    """Return draws of a column, (draws, n): each row is in the table many times, and each time drawn by itself."""
    repeated = X.iloc[np.tile(np.arange(len(X)), REPEATS)]
    tables = imputer.draws(repeated, DRAWS, random_state=0)
    return np.concatenate([table[name].to_numpy().reshape(REPEATS, len(X)) for table in tables])


def test_counts_are_drawn_with_the_spread_of_their_likelihood(several, fitted):
    assert [(column.kind, column.likelihood) for column in fitted.columns_][1] == ("count", "negative_binomial")
    X = hidden(several, "count")
    mean, cells = expected(fitted, X)
    draws = drawn(fitted, X, "count").astype(float)
    assert (draws == np.round(draws)).all()
    assert draws.min() == 0
    np.testing.assert_allclose(draws.mean(), mean[:, cells["count"]].mean(), rtol=0.05)
    high = (several["group"][:ROWS] == "high").to_numpy()
    assert draws[:, high].var(0).mean() > 1.8 * draws[:, high].mean(), "a Poisson's would be equal"


def test_categories_are_drawn_with_their_probabilities(several, fitted):
    X = hidden(several, "kind")
    mean, cells = expected(fitted, X)
    column = next(column for column in fitted.columns_ if column.name == "kind")
    probability = mean[:, cells["kind"]][:, column.places[column.levels.index("a")]]
    often = (drawn(fitted, X, "kind") == "a").mean(0)
    assert np.abs(often - probability).max() < 5 * np.sqrt(0.25 / (REPEATS * DRAWS))
    high = (several["group"][:ROWS] == "high").to_numpy()
    assert often[high].mean() > often[~high].mean() + 0.2


def test_truth_values_are_drawn_with_their_probabilities(several, fitted):
    X = hidden(several, "flag")
    mean, cells = expected(fitted, X)
    often = drawn(fitted, X, "flag").astype(bool).mean(0)
    assert np.abs(often - mean[:, cells["flag"]][:, 0]).max() < 5 * np.sqrt(0.25 / (REPEATS * DRAWS))


def test_numbers_are_drawn_with_the_error_of_hidden_cells(several, fitted):
    draws = drawn(fitted, hidden(several, "real"), "real").astype(float)
    place = expected(fitted, several[:2])[1]["real"][0]
    unit = several["real"].std(ddof=0)
    np.testing.assert_allclose(draws.std(0).mean(), fitted.filling_.spread[place] * unit, rtol=0.1)


def test_draws_by_the_seed(several, fitted):
    X = hidden(several, "count")
    one, same, other = ([table["count"].tolist() for table in fitted.draws(X, 2, random_state=s)] for s in (0, 0, 1))
    assert one == same
    assert one[0] != one[1]
    assert one != other


# -- what is fitted, and files ----------------------------------------------------------------------------------------


def test_what_is_fitted():
    X, _ = with_gaps(WINE)
    imputer = small(members=3).fit(X)
    assert len(imputer.models_) == 3
    weights = [torch.cat([p.flatten() for p in model.network.parameters()]) for model in imputer.models_]
    assert not torch.equal(weights[0], weights[1])
    assert (imputer.n_features_in_, len(imputer.columns_), len(imputer.floor_)) == (13, 13, 13)
    assert {column.kind for column in imputer.columns_} == {"real"}


def test_the_estimator_that_is_given_is_not_changed():
    imputer = small()
    before = repr(imputer)
    imputer.fit(with_gaps(WINE)[0])
    assert repr(imputer) == before
    assert not hasattr(imputer.estimator, "model_")


@pytest.mark.parametrize("settings", [{}, {"fill": "draw"}, {"methods": ["trees"]}, {"estimator": None}])
def test_a_file_holds_it(tmp_path, monkeypatch, settings):
    monkeypatch.setattr(members, "masked_autoencoder", lambda rows: quick().estimator)
    X, _ = with_gaps(load_iris().data[:60])
    imputer = quick().set_params(members=2, **settings).fit(X)
    imputer.save(tmp_path / "imputer.isthmus")
    loaded = load(tmp_path / "imputer.isthmus", compute=None, parts=())
    assert (loaded.members, loaded.fill) == (imputer.members, imputer.fill)
    assert repr(loaded.floor_) == repr(imputer.floor_)
    np.testing.assert_array_equal(loaded.transform(X), imputer.transform(X))
    draws = [np.stack(list(one.draws(X, 3, random_state=0))) for one in (loaded, imputer)]
    np.testing.assert_array_equal(*draws)
    assert [column.kind for column in loaded.columns_] == [column.kind for column in imputer.columns_]
    np.testing.assert_array_equal(clone(loaded).fit(X).transform(X), imputer.transform(X))


def test_a_file_of_few_rows_whose_errors_could_not_be_measured(tmp_path):
    X, _ = with_gaps(load_iris().data[:8])
    imputer = quick().fit(X)
    imputer.save(tmp_path / "imputer.isthmus")
    loaded = load(tmp_path / "imputer.isthmus")
    assert np.isnan([column.error for column in loaded.floor_]).all()
    np.testing.assert_array_equal(loaded.transform(X), imputer.transform(X))


def test_a_file_with_frames(tmp_path, several, fitted):
    fitted.save(tmp_path / "imputer.isthmus")
    loaded = load(tmp_path / "imputer.isthmus")
    X = hidden(several, "kind")
    assert loaded.transform(X).equals(fitted.transform(X))
    assert loaded.feature_names_in_.tolist() == list(several.columns)


def test_counts_are_numbers_unless_something_is_said(several, fitted):
    kinds = {column.name: column.kind for column in quick().fit(several).columns_}
    assert kinds == {"group": "category", "count": "real", "kind": "category", "flag": "boolean", "real": "real"}
    assert fitted.columns_[1].kind == "count"


def test_the_default_member_hides_cells():
    assert masked_autoencoder(100).corruption == Masking(0.3, value=None, score="hidden")


# -- bad input --------------------------------------------------------------------------------------------------------

WHOLE = "must be a whole number of at least"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *[({"estimator": value}, "estimator must be an AutoEncoder or None; got") for value in (3, "x", AutoEncoder)],
        ({"estimator": Imputer()}, r"estimator must be an AutoEncoder or None; got Imputer\(\)"),
        ({"estimator": AutoEncoder(likelihood="gaussian")}, "likelihood='gaussian' is one for all columns"),
        ({"estimator": AutoEncoder(decoder=Tied())}, "a Tied decoder gives back what the encoder sees"),
        ({"estimator": AutoEncoder(epochs=0)}, f"epochs {WHOLE} 1; got 0"),
        *[({"members": value}, f"members {WHOLE} 1; got") for value in (0, 1.5, "x", None, True)],
        ({"methods": ["forest"]}, "unknown methods 'forest'"),
        ({"methods": "trees"}, r"methods must be a sequence of names, such as \('trees',\); got a single text"),
        *[({"fill": value}, f"unknown fill {value!r}") for value in ("median", None, 3)],
        ({"columns": {"nobody": "real"}}, "columns= names 'nobody', which the table does not have"),
        ({"columns": {0: "rael"}}, "unknown kind of column 'rael'; did you mean 'real'"),
        ({"columns": 3}, "columns must be None, 'auto', a kind for all columns"),
        *[({"random_state": value}, "random_state must be None, a whole number") for value in (-1, "x", 1.5)],
    ],
)
def test_parameters_that_are_refused(settings, message):
    imputer = small(**settings)
    with pytest.raises(ValueError, match=message):
        imputer.fit(with_gaps(load_iris().data)[0])
    with pytest.raises(NotFittedError):
        imputer.transform(load_iris().data)


IRIS = load_iris().data


@pytest.mark.filterwarnings("ignore:column .* is ignored:UserWarning")
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (IRIS[0], ValueError, "Expected 2D array, got 1D array"),
        (IRIS[None, None, None], ValueError, r"give flat rows, X\.reshape\(len\(X\), -1\)"),
        (IRIS[:0], ValueError, r"Found array with 0 sample\(s\)"),
        (IRIS[:1], ValueError, r"Found array with 1 sample\(s\) while a minimum of 2"),
        (IRIS * np.nan, ValueError, "no column of the table can be learned from: all are ignored"),
        (IRIS + 1j, ValueError, "Complex data not supported"),
        (
            scipy.sparse.csr_array(IRIS),
            ValueError,
            r"for a dense table give X.toarray\(\), with NaN where a cell is missing",
        ),
        (
            "table.parquet",
            ValueError,
            r"Imputer takes rows in memory, and X is a source of rows \(str\)",
        ),
        (lambda: iter([IRIS]), ValueError, r"Imputer takes rows in memory, and X is a source of rows \(function\)"),
    ],
)
def test_tables_that_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        quick().fit(X)


def test_tables_that_do_not_fit():
    imputer = quick().fit(with_gaps(IRIS)[0])
    for X, message in (
        (IRIS[:, :3], "X has 3 features, but Imputer is expecting 4"),
        (np.array([["a"] * 4] * 3), "column 0 held float values in fit, and now holds text values"),
        (IRIS[:0], r"Found array with 0 sample\(s\)"),
    ):
        for use in (imputer.transform, lambda X: next(imputer.draws(X))):
            with pytest.raises(ValueError, match=message):
                use(X)


@pytest.mark.parametrize("n", [0, -1, 1.5, "x", None])
def test_numbers_of_draws_that_are_refused(n):
    with pytest.raises(ValueError, match=f"n {WHOLE} 1; got"):
        next(quick().fit(IRIS).draws(IRIS, n))


def test_an_array_on_disk_is_read(tmp_path):
    X, _ = with_gaps(IRIS)
    np.save(tmp_path / "x.npy", X)
    imputer = quick().fit(tmp_path / "x.npy")
    np.testing.assert_array_equal(imputer.transform(str(tmp_path / "x.npy")), quick().fit(X).transform(X))


@pytest.mark.parametrize("use", ["transform", "draws", "save"])
def test_not_fitted(use, tmp_path):
    uses = {"transform": lambda imputer: imputer.transform(IRIS), "draws": lambda imputer: next(imputer.draws(IRIS))}
    with pytest.raises(NotFittedError, match="This Imputer instance is not fitted yet"):
        uses.get(use, lambda imputer: imputer.save(tmp_path / "x"))(quick())


def test_infinite_values_are_refused_by_name():
    X, _ = with_gaps(load_iris().data)
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match="column 1 has 1 infinite values"):
        quick().fit(X)
