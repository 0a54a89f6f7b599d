"""Values and containers as people have them, through estimators: read as what they are, and given back as they came."""

import datetime
import warnings
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import torch

from isthmus import AnomalyDetector, AutoEncoder, Compute, Imputer, load

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
pytestmark = [
    pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning"),
    pytest.mark.filterwarnings("ignore:column .* the place of its times:UserWarning"),
]

ROWS = 200
RNG = np.random.default_rng(0)
Z = RNG.normal(size=ROWS)
X = np.column_stack([Z, 2 * Z + 0.1 * RNG.normal(size=ROWS), -Z]).round(2)
AMOUNT = np.exp(8 + 0.6 * Z)


def autoencoder():
    return AutoEncoder(latent=1, hidden=(8,), epochs=3, random_state=0, compute=Compute(threads=1))


def detector():
    return AnomalyDetector(method="histogram", random_state=0)


def imputer():
    return Imputer(autoencoder(), members=1, random_state=0)


ESTIMATORS = {"autoencoder": autoencoder, "detector": detector, "imputer": imputer}


def of_text(rows=ROWS):
    """A table in which all columns but one are text that reads as numbers or dates."""
    return pandas.DataFrame(
        {
            "amount": [f"${value:,.2f}" for value in AMOUNT[:rows]],
            "temperature": [f"{20 + value:.1f}".replace(".", ",") for value in Z[:rows]],
            "share": [f"{50 + 10 * value:.1f} %" for value in Z[:rows]],
            "day": [f"{1 + row % 28:02d}.{1 + row % 12:02d}.2024" for row in range(rows)],
            "age": (40 + 5 * Z[:rows]).round(),
        }
    )


# -- numbers as text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["U", "S", object])
def test_an_array_of_number_texts_is_the_array_of_numbers(dtype):
    texts = X.astype("U").astype(dtype)
    model, same = autoencoder().fit(X), autoencoder().fit(texts)
    np.testing.assert_array_equal(model.transform(X), same.transform(texts))
    np.testing.assert_array_equal(model.reconstruct(X), same.reconstruct(texts))
    np.testing.assert_array_equal(model.score_samples(X), model.score_samples(texts))
    np.testing.assert_array_equal(
        detector().fit(X).score_samples(X), detector().fit(texts.tolist()).score_samples(texts.tolist())
    )


def test_gaps_in_an_array_of_number_texts():
    gaps = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    texts = np.where(np.isnan(gaps), "", gaps.astype("U"))
    np.testing.assert_array_equal(imputer().fit_transform(gaps), imputer().fit_transform(texts))


def test_an_absurd_amount_gets_an_absurd_score():
    frame = of_text()
    fitted = AnomalyDetector(random_state=0).fit(frame)
    odd = frame[:2].assign(amount=["$3,001.00", "$9,999,999,999.00"])
    scores = fitted.score_samples(odd)
    assert scores[1] < scores[0] - 5
    assert fitted.predict(odd).tolist() == [1, -1]


def test_texts_come_back_as_texts(tmp_path):
    frame = of_text()
    model = autoencoder().fit(frame)
    back = model.reconstruct(frame)
    assert back.dtypes.tolist() == frame.dtypes.tolist()
    patterns = {"amount": r"\$\d{1,3}(,\d{3})*\.\d\d", "temperature": r"\d+,\d", "share": r"\d+\.\d %"}
    for name, pattern in patterns.items():
        assert back[name].str.fullmatch(pattern).all()
    assert back["day"].str.fullmatch(r"\d\d\.\d\d\.2024").all()
    model.save(tmp_path / "x.isthmus")
    again = load(tmp_path / "x.isthmus")
    pandas.testing.assert_frame_equal(again.reconstruct(frame), back)
    np.testing.assert_array_equal(again.score_samples(frame), model.score_samples(frame))


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.from_pandas, pyarrow.Table.from_pandas])
def test_texts_are_filled_with_texts(make):
    frame = of_text()
    gaps = frame.copy()
    gaps.loc[::9, "amount"], gaps.loc[1::9, "temperature"], gaps.loc[2::9, "day"] = "N/A", None, "-"
    found = imputer().fit_transform(make(gaps))
    found = found if make is pandas.DataFrame else found.to_pandas()
    seen = gaps.notna() & ~gaps.isin(["N/A", "-"])
    assert found.map(str).where(seen).equals(gaps.map(str).where(seen))
    assert found["amount"].str.fullmatch(r"\$\d{1,3}(,\d{3})*\.\d\d").all()
    assert found["temperature"].str.fullmatch(r"\d+,\d").all()
    # Times are not filled, and what stands for a missing one stays.
    assert found["day"].tolist() == gaps["day"].tolist()


def test_texts_of_another_form_in_use_are_scored_as_missing():
    frame = of_text()
    model = autoencoder().fit(frame)
    odd, missing = frame[:5].copy(), frame[:5].copy()
    odd.loc[2, "amount"], missing.loc[2, "amount"] = "lots", None
    with pytest.warns(UserWarning, match="column 'amount' held numbers as text in fit, .* such as 'lots'"):
        scores = model.score_samples(odd)
    np.testing.assert_array_equal(scores, model.score_samples(missing))


def test_ambiguous_numbers_are_named_once():
    frame = pandas.DataFrame({"x": [f"{1 + row % 9},{100 + row}" for row in range(ROWS)], "z": Z})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        autoencoder().fit(frame)
    assert sum("thousands=','" in str(one.message) for one in told) == 1


# -- masked arrays ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ESTIMATORS)
def test_masked_cells_are_missing_cells(name):
    mask = RNG.random(X.shape) < 0.1
    masked, gaps = np.ma.masked_array(np.where(mask, -9999.0, X), mask), np.where(mask, np.nan, X)
    use = "transform" if name == "imputer" else "score_samples"
    fitted, same = ESTIMATORS[name]().fit(masked), ESTIMATORS[name]().fit(gaps)
    found = getattr(fitted, use)(masked)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, getattr(same, use)(gaps))
    if name == "imputer":
        np.testing.assert_array_equal(found[~mask], X[~mask])
        assert abs(found[mask]).max() < 10


# -- time zones -------------------------------------------------------------------------------------------------------


def in_time(zone):
    times = pandas.date_range("2024-03-01", periods=ROWS, freq="7h", tz="UTC")
    return pandas.DataFrame({"t": times.tz_convert(zone) if zone else times.tz_localize(None), "x": Z})


@pytest.mark.parametrize("zone", ["America/New_York", "Etc/GMT+5", "UTC+05:30", "dateutil/Asia/Hong_Kong"])
def test_times_in_any_zone_come_back_in_it(zone, tmp_path):
    frame = in_time(zone)
    model = autoencoder().fit(frame)
    model.save(tmp_path / "x.isthmus")
    for one in (model, load(tmp_path / "x.isthmus")):
        assert one.reconstruct(frame).dtypes.tolist() == frame.dtypes.tolist()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_zones_in_use(name):
    zoned, other, bare = in_time("America/New_York"), in_time("Asia/Tokyo"), in_time(None)
    use = "transform" if name == "imputer" else "score_samples"
    fitted = ESTIMATORS[name]().fit(zoned)
    found, same = getattr(fitted, use)(other), getattr(fitted, use)(zoned)
    assert (np.asarray(found) == np.asarray(same)).all()
    with pytest.raises(
        ValueError, match=r"column 't' holds times in the zone America/New_York in fit, .*tz_localize\("
    ):
        getattr(fitted, use)(bare)
    with pytest.raises(ValueError, match=r"column 't' holds times without a zone in fit, .*tz_localize\(None\)"):
        getattr(ESTIMATORS[name]().fit(bare), use)(zoned)


@pytest.mark.filterwarnings("ignore:column .t. is ignored. its times go through no day:UserWarning")
def test_objects_with_a_zone():
    zone = ZoneInfo("America/Sao_Paulo")
    moments = [datetime.datetime(2024, 1, 1 + row % 28, row % 24, tzinfo=zone) for row in range(ROWS)]
    frame = pandas.DataFrame({"t": pandas.Series(moments, dtype=object), "x": Z})
    back = autoencoder().fit(frame).reconstruct(frame)["t"]
    assert back.dtype == object
    assert {moment.tzinfo for moment in back} == {zone}


# -- types of numbers -------------------------------------------------------------------------------------------------

TYPES = {
    "big-endian": lambda: pandas.DataFrame(X.astype(">f8"), columns=list("abc")),
    "longdouble": lambda: pandas.DataFrame(X.astype(np.longdouble), columns=list("abc")),
    "float16": lambda: pandas.DataFrame(X.astype(np.float16), columns=list("abc")),
    "sparse": lambda: pandas.DataFrame(
        {n: pandas.arrays.SparseArray(X[:, j], fill_value=0.0) for j, n in enumerate("abc")}
    ),
    "dummies": lambda: pandas.get_dummies(pandas.Series(list("xyzx") * 50), sparse=True).assign(a=Z),
    "Decimal": lambda: pandas.DataFrame({"a": [Decimal(str(value)) for value in X[:, 0]], "b": X[:, 1]}),
    "periods": lambda: pandas.DataFrame({"a": Z, "m": pandas.period_range("2020-01", periods=ROWS, freq="M")}),
    "intervals": lambda: pandas.DataFrame({"a": Z, "band": pandas.cut(X[:, 1], 4)}),
    "Int128": lambda: polars.DataFrame(
        {"a": polars.Series([3 * row % 50 for row in range(ROWS)], dtype=polars.Int128), "b": Z}
    ),
    "polars Decimal": lambda: polars.DataFrame({"a": polars.Series(X[:, 0]).cast(polars.Decimal(10, 2)), "b": Z}),
    "Arrow decimal": lambda: pyarrow.table({"a": pyarrow.array(X[:, 0]).cast(pyarrow.decimal128(10, 2)), "b": Z}),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.filterwarnings("ignore:column .* is ignored")
def test_types_come_back(name):
    frame = TYPES[name]()
    model = autoencoder().fit(frame)
    assert model.transform(frame).shape == (ROWS, 1)
    back = model.reconstruct(frame)
    if isinstance(frame, pandas.DataFrame):
        assert back.dtypes.tolist() == frame.dtypes.tolist()
        assert {type(value) for value in back.iloc[0]} == {type(value) for value in frame.iloc[0]}
    else:
        assert back.schema == frame.schema


def test_decimal_numbers_are_the_floats():
    floats = pandas.DataFrame(X, columns=list("abc"))
    decimals = floats.assign(a=[Decimal(str(value)) for value in X[:, 0]])
    np.testing.assert_array_equal(
        autoencoder().fit(floats).transform(floats), autoencoder().fit(decimals).transform(decimals)
    )


# -- containers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tensor",
    [torch.tensor(X, requires_grad=True), torch.tensor(X, dtype=torch.bfloat16), torch.nn.Parameter(torch.tensor(X))],
    ids=["gradient", "bfloat16", "parameter"],
)
def test_tensors_are_taken(tensor):
    model = autoencoder().fit(tensor)
    array = tensor.detach()
    array = (array.float() if array.dtype == torch.bfloat16 else array).numpy()
    np.testing.assert_array_equal(model.transform(tensor), autoencoder().fit(array).transform(array))


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    ("container", "call"),
    [
        (polars.DataFrame(X).lazy(), r"X\.collect\(\)"),
        ({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}, r"pandas\.DataFrame\(X\)"),
        (pandas.DataFrame(X).to_records(index=False), r"pandas\.DataFrame\(X\)"),
        ([pandas.DataFrame(X)] * 2, r"pandas\.concat\(X\)"),
        ([{"a": 1.0, "b": 2.0, "c": 3.0}] * 9, r"pandas\.DataFrame\(X\)"),
        (pandas.Series(Z), r"X\.to_frame\(\)"),
    ],
    ids=["lazy", "dict", "records", "frames", "dicts", "series"],
)
def test_other_containers_are_refused_by_the_call(name, container, call):
    fitted = ESTIMATORS[name]().fit(X)
    for use in (fitted.fit, fitted.transform if name == "imputer" else fitted.score_samples):
        with pytest.raises(ValueError, match=call):
            use(container)
