"""Tables through an estimator: frames in and out, gaps, columns of several kinds, and what cannot be."""

import datetime
import pickle

import numpy as np
import pytest
from scipy import integrate
from sklearn.base import clone

from isthmus import AutoEncoder, Compute, Gaussian, Tied, load, zoo
from isthmus.data.reading import read_table
from isthmus.estimators.inference import Inference

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore:column 'when'. the place of its times")

ROWS = 120
USES = ["transform", "score_samples", "score_columns", "reconstruction_error"]
COLUMNS = ["real", "tail", "count", "flag", "kind", "grade", "when"]


def model(**settings):
    layers = {} if "encoder" in settings else {"hidden": (8,)}
    return AutoEncoder(
        **{"latent": 2, "epochs": 3, "random_state": 0, "compute": Compute(threads=1)} | layers | settings
    )


def mixed(seed=0, rows=ROWS, gaps=True):
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)
    frame = pandas.DataFrame(
        {
            "real": np.round(hidden + 0.1 * random.normal(size=rows), 2),
            "tail": np.exp(3 * hidden),
            "count": random.poisson(np.exp(hidden)),
            "flag": hidden > 0,
            "kind": np.where(hidden > 0, "a", np.where(random.random(rows) > 0.5, "b", "ü")),
            "grade": pandas.Categorical(
                np.where(hidden > 1, "high", np.where(hidden > 0, "mid", "low")), ["low", "mid", "high"], ordered=True
            ),
            "when": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(random.integers(0, 800, rows), unit="D"),
        }
    )
    if gaps:
        frame.loc[3, "real"] = np.nan
        frame.loc[5, "kind"] = None
        frame.loc[7, "when"] = pandas.NaT
    return frame


FRAME = mixed()


def as_kind(kind, frame=FRAME):
    """Return the table as another library has it."""
    if kind == "pandas":
        return frame
    frame = frame.assign(grade=frame["grade"].astype(str)) if "grade" in frame else frame
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    return table if kind == "pyarrow" else polars.from_arrow(table)


@pytest.fixture(scope="module")
def fitted():
    return model().fit(FRAME)


# -- what columns are, and back ---------------------------------------------------------------------------------------


def test_the_plan_is_told(fitted):
    plan = {column.name: (column.kind, column.likelihood) for column in fitted.columns_}
    assert plan == {
        "real": ("real", "gaussian"),
        "tail": ("positive", "gaussian"),
        "count": ("count", "negative_binomial"),
        "flag": ("boolean", "bernoulli"),
        "kind": ("category", "categorical"),
        "grade": ("ordinal", "gaussian"),
        "when": ("date-time", "gaussian"),
    }
    assert [column.missing > 0 for column in fitted.columns_] == [True, False, False, False, True, False, True]
    assert fitted.n_features_in_ == 7
    assert fitted.feature_names_in_.tolist() == COLUMNS


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_come_back_as_frames(kind):
    table = as_kind(kind)
    ae = zoo.variational(latent=2, epochs=2, random_state=0).fit(table)
    codes = ae.transform(table)
    assert codes.shape == (ROWS, 2)
    for back in (ae.reconstruct(table), ae.inverse_transform(codes), ae.sample(5), ae.sample(5, noise=True)):
        assert type(back) is type(table)
        if kind == "pyarrow":
            assert back.schema.equals(table.schema)
            continue
        assert list(back.columns) == COLUMNS
        assert list(back.dtypes) == list(table.dtypes)


def test_values_that_come_back_occur(fitted):
    for back in (
        fitted.reconstruct(FRAME),
        fitted.inverse_transform(np.random.default_rng(0).normal(size=(50, 2)) * 9),
    ):
        for name in ("real", "tail", "count"):
            assert back[name].min() >= FRAME[name].min()
            assert back[name].max() <= FRAME[name].max()
        np.testing.assert_array_equal(back["real"], back["real"].round(2))
        assert set(back["kind"]) <= {"a", "b", "ü"}
        assert not back.drop(columns="when").isna().any().any()
    assert back["when"].isna().all(), "a code does not say when"


def test_row_labels_come_back(fitted):
    labelled = FRAME.set_index(np.arange(ROWS) * 10 + 1)
    assert fitted.reconstruct(labelled).index.equals(labelled.index)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_of_numbers_are_arrays(kind):
    numbers = FRAME[["tail", "count"]].assign(other=np.arange(ROWS)[::-1] ** 2)
    table, array = as_kind(kind, numbers), numbers.to_numpy()
    ae, plain = model().fit(table), model().fit(array)
    assert [(column.name, column.kind) for column in ae.columns_] == [(name, "real") for name in numbers]
    assert [column.scaling for column in ae.columns_] == [column.scaling for column in plain.columns_]
    for method in USES:
        np.testing.assert_array_equal(getattr(ae, method)(table), getattr(plain, method)(array))
    back = ae.reconstruct(table)
    assert type(back) is type(table)
    back = back if kind == "pandas" else back.to_pandas()
    np.testing.assert_array_equal(back["tail"], plain.reconstruct(array)[:, 0])
    np.testing.assert_array_equal(back["count"], np.round(plain.reconstruct(array)[:, 1]))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_small_whole_numbers_end_where_their_type_does(kind):
    random = np.random.default_rng(0)
    table = as_kind(kind, pandas.DataFrame({name: random.integers(0, 256, 40).astype("u1") for name in "abc"}))
    back = model(scale="standard").fit(table).inverse_transform(np.array([[1e3, 1e3], [-1e3, -1e3]]))
    back = back if kind == "pandas" else back.to_pandas()
    assert set(np.unique(back)) == {0, 255}


def test_arrays_with_gaps_are_tables_of_columns():
    array = FRAME[["real", "tail"]].to_numpy()
    for given in (array, array.tolist(), array.astype(object)):
        ae = model(latent=1).fit(given)
        assert [column.kind for column in ae.columns_] == ["real", "positive"]
        assert isinstance(ae.reconstruct(given), np.ndarray)
        assert np.isfinite(ae.reconstruct(given)).all()
    objects = FRAME[["real", "kind"]].to_numpy()
    assert [column.kind for column in model(latent=1).fit(objects).columns_] == ["real", "category"]


@pytest.mark.parametrize(
    "columns", [{"count": "poisson"}, ["real", "positive", "poisson"], "student_t", "auto"], ids=str
)
def test_columns_can_be_said(columns):
    ae = model(columns=columns).fit(FRAME[["real", "tail", "count"]])
    found = [column.likelihood for column in ae.columns_]
    expected = {"student_t": ["student_t"] * 3, "auto": ["gaussian", "gaussian", "negative_binomial"]}
    assert found == expected.get(str(columns), ["gaussian", "gaussian", "poisson"])


# -- scores -----------------------------------------------------------------------------------------------------------


def test_columns_add_up_to_rows(fitted):
    np.testing.assert_allclose(fitted.score_columns(FRAME).sum(1), fitted.score_samples(FRAME), rtol=1e-9)
    array = FRAME[["tail", "count"]].to_numpy()
    plain = model(latent=1).fit(array)
    np.testing.assert_allclose(plain.score_columns(array).sum(1), plain.score_samples(array), rtol=1e-9)


def test_missing_cells_count_for_nothing(fitted):
    scores = fitted.score_columns(FRAME)
    assert scores[3, 0] == scores[5, 4] == scores[7, 6] == 0
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", ["real", "tail"])
def test_scores_of_real_columns_are_densities(name):
    """With the code held fixed, the density over the values of one column is 1 altogether."""
    ae = model(columns={"real": "real"}).fit(FRAME)
    place = COLUMNS.index(name)
    row = Inference(ae.model_, Compute(threads=1)).rows(read_table(FRAME[:1], ae.model_.schema, caller="AutoEncoder"))
    x = row.scaled(row.table[:])
    theta = ae.network_(x).theta.detach()
    scaling, cell = ae.scaling_, ae.scaling_.real.index(place)

    def density(value):
        raw = row.table[:].clone()
        raw[:, scaling.places[place]] = value
        moved = row.scaled(raw)
        logs = -ae.network_.likelihood.columns(moved, theta).double() + scaling.log_derivatives(moved)
        return float(logs[0, cell].exp())

    centre = float(scaling.inverse(ae.network_.likelihood.mean(theta))[0, scaling.places[place]])
    reach = 50.0 if name == "real" else 1e7
    middle = [centre - 1, centre, centre + 1, *([-100, 0, 100, 1e4] if name == "tail" else [])]
    total, _ = integrate.quad(density, -reach, reach, points=sorted(middle), limit=500)
    assert total == pytest.approx(1, abs=1e-4)


def test_a_row_is_on_its_own(fitted):
    order = np.random.default_rng(0).permutation(ROWS)
    for method in USES:
        whole = getattr(fitted, method)(FRAME)
        np.testing.assert_array_equal(getattr(fitted, method)(FRAME.iloc[order]), whole[order])
        for row in (0, 3, 5, 7, 119):
            np.testing.assert_array_equal(getattr(fitted, method)(FRAME.iloc[row : row + 1]), whole[row : row + 1])


def test_same_seed_same_result(fitted):
    again = model().fit(FRAME)
    for method in USES:
        np.testing.assert_array_equal(getattr(again, method)(FRAME), getattr(fitted, method)(FRAME))


def test_weight_zero_is_a_row_left_out():
    weight = np.r_[np.zeros(20), np.ones(100)]
    one = model().fit(FRAME, sample_weight=weight)
    other = model().fit(FRAME[20:], sample_weight=weight[20:])
    assert repr(one.columns_) == repr(other.columns_)
    np.testing.assert_array_equal(one.transform(FRAME), other.transform(FRAME))


@pytest.mark.filterwarnings("ignore:column 'kind' holds categories that it did not hold in fit .'new'.")
def test_chunks():
    ae = model().partial_fit(FRAME)
    kinds = [column.kind for column in ae.columns_]
    ae.partial_fit(mixed(1, 30).assign(kind="new")).partial_fit(mixed(2, 1, gaps=False))
    assert [column.kind for column in ae.columns_] == kinds
    assert np.isfinite(ae.score(FRAME))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "array"])
def test_a_file_holds_the_columns(kind, tmp_path):
    table = FRAME[["real", "tail"]].to_numpy() if kind == "array" else as_kind(kind)
    ae = model(latent=1, columns={0: "student_t"} if kind == "array" else {"count": "poisson"}).fit(table)
    ae.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert repr(loaded.columns_) == repr(ae.columns_)
    assert loaded.columns == ae.columns
    for other in (loaded, pickle.loads(pickle.dumps(ae)), clone(ae).fit(table)):
        for method in USES:
            np.testing.assert_array_equal(getattr(other, method)(table), getattr(ae, method)(table))
        assert type(other.reconstruct(table)) is type(table)


def test_lines_between_rows_of_frames(fitted):
    lines = fitted.interpolate(FRAME[:2], FRAME[2:4], steps=3)
    assert lines.shape == (6, 7)
    assert (lines.dtypes == FRAME.dtypes).all()
    back = fitted.reconstruct(FRAME[:4])
    ends = lines.iloc[[0, 3, 2, 5]].reset_index(drop=True)
    assert ends.pop("when").isna().all()
    pandas.testing.assert_frame_equal(ends, back.drop(columns="when"))


# -- columns of no use ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:column .nothing. had no values:UserWarning")
def test_ignored_columns_come_back_as_they_are_given():
    table = FRAME.assign(nothing=np.nan, name=[f"row {row}" for row in range(ROWS)], same=7)
    with pytest.warns(UserWarning, match="column '(nothing|name)' is ignored") as warned:
        ae = model().fit(table)
    assert len([told for told in warned if "is ignored" in str(told.message)]) == 2
    assert [column.kind for column in ae.columns_[-3:]] == ["ignored", "ignored", "real"]
    back = ae.reconstruct(table)
    pandas.testing.assert_frame_equal(back[["when", "nothing", "name"]], table[["when", "nothing", "name"]])
    other = table.assign(name=pandas.Categorical(["x"] * ROWS), nothing="text now", when=table["when"].dt.as_unit("ns"))
    pandas.testing.assert_frame_equal(
        ae.reconstruct(other)[["when", "nothing", "name"]], other[["when", "nothing", "name"]]
    )
    assert ae.inverse_transform(ae.transform(table))[["nothing", "name"]].isna().all().all(), "there is nothing given"
    assert (back["same"] == 7).all()
    np.testing.assert_array_equal(ae.score_columns(table)[:, 7:9], 0)
    np.testing.assert_array_equal(ae.transform(table.assign(nothing="text now")), ae.transform(table))


def test_all_columns_ignored():
    with pytest.raises(ValueError, match="no column of the table can be learned from: all are ignored"):
        model(columns="ignored").fit(FRAME)


@pytest.mark.filterwarnings("ignore:the code is the same for every row")
@pytest.mark.parametrize("table", [pandas.DataFrame({"x": ["a"] * 20}), pandas.DataFrame({"x": [1.0] * 20 + [None]})])
def test_a_column_of_one_value_alone(table):
    ae = model(latent=0.9).fit(table)
    assert np.isfinite(ae.score(table))
    assert ae.reconstruct(table)["x"].nunique() == 1


# -- what is other in use ---------------------------------------------------------------------------------------------


def test_another_order_is_mended(fitted):
    np.testing.assert_array_equal(fitted.transform(FRAME[COLUMNS[::-1]]), fitted.transform(FRAME))


def test_an_unknown_category_is_a_missing_cell_to_the_others(fitted):
    for name, place, scored in (("kind", 4, True), ("grade", 5, False)):
        unknown = FRAME.astype({name: object})
        unknown.loc[:20, name] = "new"
        gone = FRAME.astype({name: object})
        gone.loc[:20, name] = None
        with pytest.warns(UserWarning, match=f"column {name!r} holds categories that it did not hold in fit .'new'."):
            scores, codes, back = (
                getattr(fitted, use)(unknown) for use in ("score_columns", "transform", "reconstruct")
            )
        np.testing.assert_array_equal(codes, fitted.transform(gone))
        pandas.testing.assert_frame_equal(back, fitted.reconstruct(gone))
        others = np.arange(7) != place
        np.testing.assert_array_equal(scores[:, others], fitted.score_columns(gone)[:, others])
        assert (scores[:21, place] < -2).all() if scored else (scores[:21, place] == 0).all()


def test_a_column_that_is_missing_in_use(fitted):
    for name in COLUMNS:
        table = FRAME.assign(**{name: None})
        assert np.isfinite(fitted.transform(table)).all()
        np.testing.assert_array_equal(fitted.score_columns(table)[:, COLUMNS.index(name)], 0)


OTHERS = {
    "gone": (FRAME.drop(columns="kind"), "X has other columns than in fit: 'kind' is missing"),
    "new": (FRAME.assign(more=1), "X has other columns than in fit: 'more' is new"),
    "renamed": (FRAME.rename(columns={"kind": "sort"}), "'kind' is missing; 'sort' is new"),
    "text": (FRAME.assign(real="x"), "column 'real' held float values in fit, and now holds text values"),
    "number": (FRAME.assign(kind=1), "column 'kind' held text values in fit, and now holds integer values"),
    "infinite": (FRAME.assign(tail=np.inf), f"column 'tail' has {ROWS} infinite values"),
    "rows": (FRAME[:0], r"Found array with 0 sample\(s\)"),
    "array": (np.ones((3, 2)), "X has 2 features, but AutoEncoder is expecting 7 features"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_tables_that_cannot_be_used(fitted, kind):
    table, message = OTHERS[kind]
    for method in (*USES, "reconstruct"):
        with pytest.raises(ValueError, match=message):
            getattr(fitted, method)(table)


@pytest.mark.parametrize(("name", "value", "nearest"), [("count", -1, 0), ("flag", 5, True)])
def test_values_that_have_no_probability_are_the_nearest_that_have(fitted, name, value, nearest):
    with pytest.warns(UserWarning, match=f"column '{name}' held .* in fit, and now holds {value}, which is taken as"):
        scores = fitted.score_samples(FRAME.assign(**{name: value}))
    np.testing.assert_array_equal(scores, fitted.score_samples(FRAME.assign(**{name: nearest})))


def test_gaps_where_there_were_none():
    numbers = FRAME[["tail", "count"]]
    gone = numbers.assign(tail=numbers["tail"].where(numbers["count"] > 1))
    ae = model(latent=1).fit(numbers)
    for method in ("transform", "score_samples", "score_columns", "reconstruction_error"):
        found = getattr(ae, method)(gone)
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, getattr(ae, method)(gone[["count", "tail"]]))
        whole = gone["tail"].notna().to_numpy()
        np.testing.assert_array_equal(found[whole], getattr(ae, method)(numbers)[whole])
    assert (ae.score_columns(gone)[gone["tail"].isna(), 0] == 0).all()
    rebuilt = ae.reconstruct(gone)
    assert list(rebuilt.columns) == ["tail", "count"]
    assert rebuilt.notna().all(axis=None)
    with pytest.raises(ValueError, match=r"column 'tail' has missing cells.*none in fit.*columns='auto'"):
        ae.partial_fit(gone)
    assert np.isfinite(model(latent=1, columns="auto").fit(numbers).score_samples(gone)).all()
    array = model(latent=1).fit(numbers.to_numpy())
    np.testing.assert_array_equal(array.score_samples(gone.to_numpy()), ae.score_samples(gone))
    with pytest.raises(ValueError, match=r"X contains NaN, missing cells, in column 'tail'.*isthmus\.Imputer"):
        model(latent=1, likelihood="gaussian").fit(numbers).transform(gone)


def test_frames_for_a_model_of_arrays():
    array = FRAME[["real", "tail"]]
    ae = model(latent=1).fit(array.to_numpy())
    np.testing.assert_array_equal(ae.transform(array), ae.transform(array.to_numpy()))
    with pytest.raises(ValueError, match="X has 3 features, but AutoEncoder is expecting 2"):
        ae.transform(FRAME[["real", "tail", "count"]])


# -- what cannot be in fit --------------------------------------------------------------------------------------------

FITS = {
    "unknown column": (FRAME, {"columns": {"x": "real"}}, "columns= names 'x', which the table does not have"),
    "unknown kind": (FRAME, {"columns": {"real": "rela"}}, "unknown kind of column 'rela'; did you mean 'real'"),
    "unknown kind for all": (FRAME, {"columns": "rela"}, "unknown columns 'rela'; did you mean 'real'"),
    "misfit": (FRAME, {"columns": {"kind": "real"}}, "column 'kind' cannot be 'real': it holds text"),
    "too few": (FRAME, {"columns": ["real"]}, "a sequence of 7 kinds"),
    "a number": (FRAME, {"columns": 3}, "columns must be None, 'auto'.*got 3"),
    "twice": (pandas.concat([FRAME, FRAME], axis=1), {}, "two columns are called 'real'"),
    "no rows": (FRAME[:0], {}, r"Found array with 0 sample\(s\) while a minimum of 2"),
    "one row": (FRAME[:1], {}, r"Found array with 1 sample\(s\) while a minimum of 2"),
    "infinite": (FRAME.assign(real=np.inf), {}, f"column 'real' has {ROWS} infinite values"),
    "mixed types": (FRAME.assign(kind=[1, *"a" * (ROWS - 1)]), {}, "column 'kind' mixes values of types int, str"),
    "likelihood": (FRAME, {"likelihood": "gaussian"}, "likelihood='gaussian' is one for all columns: leave"),
    "likelihood part": (FRAME, {"likelihood": Gaussian()}, "is one for all columns: leave likelihood='auto'"),
    "layerwise": (FRAME, {"init": "layerwise"}, "init='layerwise' trains layers for one kind of column"),
    "tied": (FRAME, {"decoder": "tied"}, "a Tied decoder gives back what the encoder sees"),
    "tied part": (FRAME, {"decoder": Tied()}, "take decoder=None"),
    "convolutional": (FRAME, {"encoder": "convolutional"}, "a Convolutional network takes images and signals"),
}


@pytest.mark.parametrize("kind", FITS)
def test_fits_that_cannot_be(kind):
    table, settings, message = FITS[kind]
    for method in ("fit", "partial_fit"):
        ae = model(**settings)
        with pytest.raises(ValueError, match=message):
            getattr(ae, method)(table)
        assert not hasattr(ae, "columns_")


def test_sparse_tables_have_no_columns():
    import scipy.sparse

    with pytest.raises(ValueError, match="columns= goes with frames and dense arrays"):
        model(columns="auto").fit(scipy.sparse.csr_array(np.eye(5)))
    gap = scipy.sparse.csr_array(np.where(np.eye(5) > 0, np.nan, 0.0))
    with pytest.raises(ValueError, match=r"5 NaN and 0 infinite values"):
        model().fit(gap)
    ae = model().fit(FRAME)
    with pytest.raises(ValueError, match="was fitted on a table of columns, and X is sparse"):
        ae.transform(scipy.sparse.csr_array(np.eye(7)))


def test_a_fit_forgets_the_columns_before():
    ae = model(latent=1).fit(FRAME)
    ae.fit(FRAME[["tail", "count"]].to_numpy())
    assert [column.name for column in ae.columns_] == ["x0", "x1"]
    assert isinstance(ae.reconstruct(FRAME[["tail", "count"]].to_numpy()), np.ndarray)


@pytest.mark.parametrize("names", [list(range(7)), [*"abcdef", 7]], ids=["numbers", "text and a number"])
def test_names_that_are_numbers(names):
    table = FRAME.set_axis(names, axis=1)
    if len({type(name) for name in names}) > 1:
        with pytest.raises(ValueError, match=r"the name of a column is 7 .*call df.columns = df.columns.astype\(str\)"):
            model().fit(table)
        return
    ae = model(columns={0: "student_t", 6: "trend"}).fit(table)
    assert ae.columns_[0].likelihood == "student_t"
    assert ae.reconstruct(table).columns.equals(table.columns)


@pytest.mark.parametrize(
    "make",
    [zoo.denoising, zoo.masked, zoo.sparse, zoo.variational, zoo.vector_quantised],
    ids=lambda make: make.__name__,
)
@pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")
def test_presets_take_tables(make):
    ae = make(latent=4, epochs=2, random_state=0).fit(FRAME)
    assert (ae.reconstruct(FRAME).dtypes == FRAME.dtypes).all()
    assert np.isfinite(ae.score_samples(FRAME)).all()
    assert ae.__sklearn_tags__().input_tags.allow_nan


@pytest.mark.parametrize("make", [zoo.stacked, zoo.k_sparse, zoo.contractive], ids=lambda make: make.__name__)
def test_presets_that_do_not_say_so(make):
    ae = make(latent=16, random_state=0)
    assert not ae.__sklearn_tags__().input_tags.allow_nan
    with pytest.raises(
        ValueError, match=r"this table has columns of several kinds or missing cells \(NaN\), and .*take "
    ):
        ae.fit(FRAME)


def test_an_array_of_objects_with_dates_comes_back():
    random = np.random.default_rng(0)
    first = datetime.date(2020, 1, 1)
    days = np.array([first + datetime.timedelta(days=int(day)) for day in random.integers(300, size=60)])
    table = np.stack([days, random.choice(["a", "b"], 60).astype(object)], axis=1)
    for columns in ({0: "trend"}, {0: "date-time"}):
        back = model(latent=1, columns=columns).fit(table).reconstruct(table)
        assert {type(value) for value in back[:, 0]} == {datetime.date}
    assert (back[:, 0] == days).all()
    assert set(back[:, 1]) <= {"a", "b"}
