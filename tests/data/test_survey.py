import numpy as np
import pytest

from isthmus.data import column_survey
from isthmus.data.column_survey import skewness
from isthmus.data.fields import Cells, Field
from isthmus.data.survey import Survey

RANDOM = np.random.default_rng(0)
NORMAL = RANDOM.normal(size=300)


def seen(values, sort="float", kind=None, unit="", missing=None, **declared):
    values = np.asarray(values)
    missing = np.zeros(len(values), dtype=bool) if missing is None else missing
    survey = Survey({} if kind is None else {"x": kind})
    survey.look([Field("x", sort, "", unit, **declared)], [Cells(values, missing)])
    return survey.columns()[0]


def objects(values):
    return np.array(values, dtype=object)


KINDS = {
    "real": (NORMAL, "float"),
    "positive": (np.exp(3 * NORMAL), "float"),
    "positive, whole": (np.round(1000 * np.exp(2 * NORMAL)).astype(int), "integer"),
    "count": (RANDOM.poisson(4, 300), "integer"),
    "count of floats": (RANDOM.poisson(4, 300).astype(float), "float"),
    "boolean": (NORMAL > 0, "boolean"),
    "boolean of floats": ((NORMAL > 0).astype(float), "float"),
    "boolean of whole numbers": ((NORMAL > 0).astype(int), "integer"),
    "category": (objects(["a", "b"] * 30), "text"),
    "real, even": (RANDOM.uniform(0, 1, 300), "float"),
    "real, years": (RANDOM.integers(1900, 2000, 300), "integer"),
    "real, all one number": (np.full(9, 7), "integer"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_are_found(name):
    values, sort = KINDS[name]
    assert seen(values, sort).kind == name.split()[0].strip(",")


def test_times_and_ordered_categories():
    assert seen([0, 5, 9], "time", "trend", unit="D").kind == "trend"
    assert seen([0, 5, 9], "duration", unit="D").kind == "real"
    assert seen(objects(["a", "b"]), "category", levels=("b", "a"), ordered=True).kind == "ordinal"
    assert seen(objects(["a", "b"]), "category", levels=("b", "a")).levels == ("b", "a")


@pytest.mark.parametrize(
    ("said", "kind", "likelihood"),
    [
        ("student_t", "real", "student_t"),
        ("poisson", "count", "poisson"),
        ("count", "count", "negative_binomial"),
        ("real", "real", "gaussian"),
        ("category", "category", "categorical"),
        ("ordinal", "ordinal", "gaussian"),
        ("ignored", "ignored", ""),
    ],
)
def test_what_the_user_says_counts(said, kind, likelihood):
    column = seen([0, 1, 2, 5], "integer", said)
    assert (column.kind, column.likelihood) == (kind, likelihood)


@pytest.mark.parametrize(
    ("values", "sort", "kind", "problem"),
    [
        (objects(["a", "b"]), "text", "real", "it holds text"),
        (objects(["a", "b"]), "text", "date-time", "it holds text values, not times"),
        ([1.0, 2.0], "float", "date-time", "it holds float values, not times"),
        ([1, 2], "integer", "trend", "it holds integer values, not times"),
        ([1, 2], "time", "real", "it holds time"),
        ([-1.0, 2.0], "float", "positive", "its smallest value is -1"),
        ([-1, 2], "integer", "count", "its smallest value is -1"),
        ([0.5, 2.0], "float", "count", "it has fractions"),
        ([0.5, 1.0], "float", "boolean", "it has fractions"),
        ([0, 2], "integer", "boolean", "it goes from 0 to 2"),
        ([0, 2**60 + 1], "integer", "count", r"it goes up to 1.15292e\+18"),
    ],
)
def test_kinds_that_cannot_be(values, sort, kind, problem):
    with pytest.raises(ValueError, match=f"column 'x' cannot be '{kind}': {problem}; choose another kind in columns="):
        seen(values, sort, kind)


@pytest.mark.parametrize("kind", ["count", "boolean"])
def test_durations_are_not_counted(kind):
    with pytest.raises(ValueError, match=f"column 'x' cannot be '{kind}': it holds durations"):
        seen([0, 1], "duration", kind, unit="D")


def test_names_that_are_not_there_and_kinds_that_are_not_known():
    with pytest.raises(ValueError, match="unknown kind of column 'rela'; did you mean 'real'"):
        Survey({"x": "rela"})
    survey = Survey({"y": "real"})
    with pytest.raises(ValueError, match=r"columns= names 'y', which the table does not have; it has \['x'\]"):
        survey.look([Field("x", "float", "")], [Cells(NORMAL, NORMAL > 9)])


def test_nothing_and_identifiers_are_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="column 'x' is ignored: it has no values"):
        assert seen([np.nan] * 3, "nothing", missing=np.ones(3, dtype=bool)).kind == "ignored"
    names = objects([f"{i}" for i in range(21)])
    for sort in ("text", "category"):
        with pytest.warns(UserWarning, match="column 'x' is ignored: each of its 21 values occurs once"):
            assert seen(names, sort).kind == "ignored"
        assert seen(names[:20], sort).kind == "category"
        assert seen(names, sort, "category").kind == "category"


HOURS = np.arange(24 * 40) * 3600


def test_of_times_the_calendar_is_learned_and_the_position_if_asked():
    with pytest.warns(
        UserWarning, match=r"column 'x': the place of its times in the day, week is .*'x': 'trend'}"
    ) as w:
        column = seen(HOURS, "time", unit="s")
    assert len(w) == 1
    assert (column.kind, column.cycles, column.numbers) == ("date-time", ("day", "week"), 2)
    column = seen(HOURS, "time", "date-time", unit="s")
    assert column.kind == "date-time", "and nothing is told of what the user says"
    column = seen(HOURS, "time", "trend", unit="s")
    assert (column.kind, column.cycles) == ("trend", ("day", "week"))
    assert column.mean == pytest.approx(HOURS.mean() / 86_400)
    for kind in (None, "date-time"):
        with pytest.warns(
            UserWarning, match=r"'x' is ignored: its times go through no .*columns={'x': 'trend'} learns"
        ):
            assert seen(HOURS[:24], "time", kind, unit="s").kind == "ignored"
    assert seen(HOURS[:24], "time", "trend", unit="s").cycles == ()


def table(numbering=None, rows=200, pieces=1, numbers=None, **others):
    """Return what columns are: a numbering beside others."""
    named = {"id": np.arange(rows) if numbering is None else numbering, **others}
    fields = [Field(name, "float" if c.dtype.kind == "f" else "integer", "") for name, c in named.items()]
    survey = Survey({}, numbers)
    for rows in np.array_split(np.arange(len(named["id"])), pieces):
        survey.look(fields, [Cells(column[rows], np.isnan(column[rows])) for column in named.values()])
    return survey.columns()


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_column_that_numbers_the_rows_is_ignored_once_told(pieces):
    with pytest.warns(UserWarning, match=r"column 'id' is ignored: its whole .*columns={'id': 'real'} learns") as told:
        found = table(x=RANDOM.normal(size=200), pieces=pieces)
    assert [column.kind for column in found] == ["ignored", "real"]
    assert len(told) == 1


def test_numberings_alone_are_no_numberings():
    """Nothing would be left to learn; the rows of a grid of numbers are such a table."""
    assert [column.kind for column in table(x=np.arange(200) * 4 + 1)] == ["real", "real"]


def test_kinds_of_numbers_of_which_nothing_is_said():
    with pytest.warns(UserWarning, match="column 'id' is ignored"):
        found = table(numbers="real", x=RANDOM.poisson(3, 200), y=RANDOM.integers(0, 2, 200))
    assert [column.kind for column in found] == ["ignored", "real", "real"]
    assert [column.step for column in found[1:]] == [1, 1]


def rising(unevenness=1.0, rows=200):
    steps = np.random.default_rng(3).exponential(300, rows) ** unevenness
    return np.cumsum(1 + np.round(steps)).astype(int)


NOISE = np.random.default_rng(4).normal(size=200)
DRAWN = np.random.default_rng(5)
BESIDE = {
    "a measurement": ({"x": NOISE}, True),
    "a whole number": ({"x": DRAWN.poisson(4, 200)}, True),
    "a size that goes with it": ({"x": NOISE, "y": rising() + 9e3 * NOISE}, False),
    "a grade that goes with it": ({"y": np.round(np.arange(200) / 60 + 0.3 * NOISE)}, False),
    "another that rises": ({"x": NOISE, "y": rising(0.9)}, True),
    "nothing else": ({}, False),
}


@pytest.mark.filterwarnings("ignore:column '[iy]d?' is ignored")
@pytest.mark.parametrize("case", BESIDE)
def test_uneven_steps_are_a_clock_unless_others_go_with_it(case):
    others, ignored = BESIDE[case]
    assert (table(rising(), **others)[0].kind == "ignored") == ignored
    assert table(np.sort(np.round(1e6 * np.exp(NOISE))), **others)[0].kind != "ignored", "sorted prices are uneven"
    assert table(np.sort(np.round(1e6 * NOISE)), **others)[0].kind != "ignored"
    assert table(rising()[np.argsort(NOISE)], **others)[0].kind != "ignored"


@pytest.mark.filterwarnings("ignore:column 'id' is ignored")
@pytest.mark.parametrize("unit", [1, 10**3, 10**9])
def test_seconds_since_1970_are_a_clock_whatever_goes_with_them(unit):
    seconds = 1_700_000_000 + rising(1.5)
    assert table(seconds * unit, y=rising() + NOISE)[0].kind == "ignored"


def test_infinite_huge_and_impossible_values():
    with pytest.raises(ValueError, match="column 'x' has 2 infinite values"):
        seen([np.inf, 1.0, -np.inf])
    with pytest.raises(ValueError, match=r"column 'x' has values too large to be squared \(-1e\+200\)"):
        seen([-1e200, 1.0])
    with pytest.raises(ValueError, match="column 'x' has times outside the years 1 to 9999"):
        seen([0, 4_000_000], "time", unit="D")


def test_what_is_known_of_a_column():
    missing = np.arange(300) < 30
    column = seen(NORMAL, missing=missing)
    assert column.missing == 0.1
    assert column.mean == pytest.approx(NORMAL[30:].mean())
    assert column.deviation == pytest.approx(NORMAL[30:].std())
    assert (column.smallest, column.largest) == (NORMAL[30:].min(), NORMAL[30:].max())
    assert column.step == 0
    assert seen([0.5, 1.25]).step == 0.01
    assert seen([3.0, 8.0]).step == 1
    assert seen([7.0, 7.0]).deviation == 1
    assert seen(np.exp(3 * NORMAL)).log_constant == pytest.approx(np.exp(3 * NORMAL).mean() / 10)


def test_positive_durations_are_seen_in_days():
    ticks = (86_400 * np.exp(3 * NORMAL)).astype(np.int64)
    column = seen(ticks, "duration", "positive", unit="s")
    logs = np.log1p(ticks / 86_400 / column.log_constant)
    assert column.mean == pytest.approx(logs.mean())
    assert column.deviation == pytest.approx(logs.std())


def test_piece_by_piece_is_all_at_once():
    pieces = Survey({})
    for part in np.array_split(NORMAL, 7):
        pieces.look([Field("x", "float", "")], [Cells(part, np.zeros(len(part), dtype=bool))])
    one, whole = pieces.columns()[0], seen(NORMAL)
    assert one.mean == pytest.approx(whole.mean, abs=1e-12)
    assert one.deviation == pytest.approx(whole.deviation)
    assert (one.smallest, one.largest) == (whole.smallest, whole.largest)


def test_weights_are_rows_more_often():
    weight = RANDOM.integers(1, 4, 300)
    survey = Survey({})
    survey.look([Field("x", "float", "")], [Cells(NORMAL, NORMAL > 9)], weight.astype(float))
    repeated = seen(np.repeat(NORMAL, weight))
    assert survey.columns()[0].mean == pytest.approx(repeated.mean)
    assert survey.columns()[0].deviation == pytest.approx(repeated.deviation)


@pytest.mark.parametrize("size", [1, 100, 7000])
def test_a_sample_is_the_same_however_the_column_is_cut(size):
    """What is known of a skewed column of many rows does not go by the rows that came last."""
    rows = 300 if size == 1 else 30_000
    values = np.exp(np.random.default_rng(0).normal(size=rows) + np.arange(rows) / rows * 5)
    whole, cut = Survey({}), Survey({})
    for survey, step in ((whole, rows), (cut, size)):
        for start in range(0, rows, step):
            piece = values[start : start + step]
            survey.look([Field("x", "float", "float64")], [Cells(piece, np.zeros(len(piece), dtype=bool))])
    np.testing.assert_array_equal(cut.found[0].sample, whole.found[0].sample)
    (one,), (other,) = cut.columns(), whole.columns()
    assert (one.kind, one.step, one.smallest, one.largest) == ("positive", other.step, other.smallest, other.largest)
    np.testing.assert_allclose((one.mean, one.deviation), (other.mean, other.deviation), rtol=1e-9)
    logs = np.log1p(values / one.log_constant)
    np.testing.assert_allclose((one.mean, one.deviation), (logs.mean(), logs.std()), rtol=0.05)


@pytest.mark.filterwarnings("ignore:column 'x' is ignored. its times")
@pytest.mark.parametrize(
    ("sort", "unit"), [("float", ""), ("integer", ""), ("boolean", ""), ("time", "ns"), ("text", "")]
)
def test_a_column_of_which_nothing_was_seen_at_first(sort, unit):
    values = {"text": objects(["a", "b"] * 20), "boolean": np.arange(40) % 2 > 0}.get(sort, np.arange(40) * 10**9 + 1)
    seen = Cells(values.astype(float) if sort == "float" else values, np.zeros(40, dtype=bool))
    nothing = Cells(np.full(10, np.nan), np.ones(10, dtype=bool))
    first, late = Survey({}), Survey({})
    for survey, pieces in ((first, (True, False)), (late, (False, True))):
        for known in pieces:
            survey.look(
                [Field("x", sort if known else "nothing", "", unit if known else "")], [seen if known else nothing]
            )
    assert late.columns() == first.columns()
    assert late.columns()[0].missing == 0.2


def test_skewness():
    assert skewness(np.array([-1.0, 0, 1])) == pytest.approx(0, abs=1e-12)
    assert skewness(np.ones(5)) == 0
    assert skewness(np.exp(NORMAL)) > 1


def test_of_very_many_categories_the_common_stay(monkeypatch):
    monkeypatch.setattr(column_survey, "MOST_COUNTED_LEVELS", 50)
    field = Field("x", "text", "String")
    survey = Survey({})
    for start in range(0, 300, 30):
        values = np.array(["common"] * 10 + [f"rare {i}" for i in range(start, start + 30)], dtype=object)
        survey.look([field], [Cells(values, np.zeros(40, dtype=bool))])
    (column,) = survey.columns()
    assert column.kind == "category"
    assert len(column.levels) <= 51 + 30
    assert column.shares[column.places[column.levels.index("common")]] > 0.5
    rows = Survey({})
    for start in range(0, 300, 30):
        values = np.array([f"row {i}" for i in range(start, start + 30)], dtype=object)
        rows.look([field], [Cells(values, np.zeros(30, dtype=bool))])
    with pytest.warns(UserWarning, match="column 'x' is ignored: each of its 300 values occurs once"):
        (column,) = rows.columns()
    assert column.levels == ()


def test_skewness_does_not_depend_on_the_unit():
    values = np.array([0.0, 0.0, 1.0])
    assert skewness(values * 1e120) == pytest.approx(skewness(values))
    assert skewness(np.ones(3)) == 0


def test_a_few_wild_values_do_not_set_the_logarithmic_scale():
    values = np.exp(np.random.default_rng(0).normal(size=1000))
    wild = values.copy()
    wild[0] = 1e9
    usual, found = (seen(of, kind="positive").log_constant for of in (values, wild))
    assert usual <= found <= 11 * usual


def test_a_scale_of_which_nearly_all_values_are_zero_is_that_of_the_others():
    values = np.zeros(300)
    values[[10, 20]] = [15.0, 45.0]
    constant = seen(values, kind="positive").log_constant
    assert 0.001 < constant < 10
    assert np.log1p(values.max() / constant) < 10
