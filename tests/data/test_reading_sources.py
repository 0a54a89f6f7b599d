import numpy as np
import pytest

from isthmus.data import reading_sources
from isthmus.data.reading import learn_table, read_pieces, read_table
from isthmus.data.reading_sources import gathered

pandas = pytest.importorskip("pandas")
X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
FRAME = pandas.DataFrame({"x": [0.5, None, 2.5, 1.0, 0.0], "kind": ["a", "b", "a", None, "c"], "n": [3, 4, 5, 4, 3]})


def batches(X=X, size=20):
    return lambda: (X[start : start + size] for start in range(0, len(X), size))


def frames(frame=FRAME, size=2):
    return lambda: (frame[start : start + size] for start in range(0, len(frame), size))


def test_a_source_of_numbers_is_the_table():
    table, schema = learn_table(batches(), caller="Test")
    assert (schema.n_features, schema.names, schema.columns) == (3, None, None)
    assert table.streamed
    np.testing.assert_array_equal(table[:].numpy(), X)
    np.testing.assert_array_equal(read_table(batches(size=7), schema, caller="Test")[:].numpy(), X)


def test_a_source_of_frames_is_learned_as_the_frame():
    whole, known = learn_table(FRAME, caller="Test")
    table, schema = learn_table(frames(), caller="Test")
    assert (schema.names, schema.frame) == (known.names, known.frame)
    assert repr(schema.columns) == repr(known.columns), "statistics are the same up to rounding"
    np.testing.assert_array_equal(table[:].numpy(), whole[:].numpy())
    np.testing.assert_array_equal(read_table(frames(size=3), schema, caller="Test")[:].numpy(), whole[:].numpy())


def test_columns_of_later_batches_may_come_in_another_order():
    whole, known = learn_table(FRAME, caller="Test")
    given = lambda: iter([FRAME[:3], FRAME[3:][["n", "kind", "x"]]])  # noqa: E731
    table, schema = learn_table(given, caller="Test")
    assert repr(schema.columns) == repr(known.columns)
    np.testing.assert_array_equal(table[:].numpy(), whole[:].numpy())


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("piece", [1, 300, 2**22])
def test_pieces_put_together_are_the_table(monkeypatch, size, piece):
    monkeypatch.setattr(reading_sources, "PIECE_BYTES", piece)
    _, schema = learn_table(X, caller="Test")
    pieces = list(read_pieces(batches(size=size), schema, caller="Test"))
    np.testing.assert_array_equal(np.concatenate([table[:].numpy() for table in pieces]), X)
    assert len(pieces) == len(list(gathered(batches(size=size)())))


def test_small_blocks_are_gathered(monkeypatch):
    monkeypatch.setattr(reading_sources, "PIECE_BYTES", 10 * 3 * 4)
    assert [len(block) for block in gathered(batches(size=4)())] == [12, 12, 12, 12, 2]
    whole = [X]
    assert next(gathered(whole)) is X
    assert list(gathered([])) == []


def test_gaps_are_named_with_their_rows():
    spoiled = X.copy()
    spoiled[45, 1] = np.nan
    with pytest.raises(ValueError, match=r"\(column 1: 1\).*They are among the rows 40 to 49"):
        learn_table(batches(spoiled), caller="Test")
    _, schema = learn_table(X, caller="Test")
    found = [piece.drawn(slice(None)) for piece in read_pieces(batches(spoiled), schema, caller="Test")]
    np.testing.assert_array_equal(np.concatenate(found), spoiled)
    spoiled[45, 1] = np.inf
    with pytest.raises(ValueError, match=r"\(column 1: 1\).*They are among the rows 0 to 49"):
        list(read_pieces(batches(spoiled), schema, caller="Test"))


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        (batches(X[:1]), {"least_rows": 2}, "X has 1 rows and 3 columns; at least 2 and 1 are needed by Test"),
        (frames(FRAME[:1]), {"least_rows": 2}, "X has 1 rows; at least 2 are needed by Test"),
        (lambda: iter([]), {"columns": "auto"}, "X has no rows; give some"),
        (lambda: iter([FRAME[:2], FRAME[2:][["x", "n"]]]), {}, "than in the first batch: 'kind' is missing"),
        (frames(), {"obstacle": "WHY"}, r"columns of several kinds or missing cells \(NaN\), and WHY"),
        (frames(), {"columns": {"y": "real"}}, "columns= names 'y'"),
        (lambda: 3, {}, "returned int; it"),
        (iter([X]), {}, "X is an iterator, which can be read only once"),
    ],
)
def test_sources_that_cannot_be_learned(given, settings, message):
    with pytest.raises(ValueError, match=message):
        learn_table(given, caller="Test", **settings)


def test_sources_that_do_not_fit():
    _, numbers = learn_table(X, caller="Test")
    _, several = learn_table(FRAME, caller="Test")
    with pytest.raises(ValueError, match="X has 2 features, but Test is expecting 3"):
        list(read_pieces(batches(X[:, :2]), numbers, caller="Test"))
    with pytest.raises(ValueError, match="X has 2 features, but Test is expecting 3"):
        read_table(batches(X[:, :2]), numbers, caller="Test")
    with pytest.raises(ValueError, match="X has other columns than in fit: 'x' is missing"):
        read_table(frames(FRAME[["kind", "n"]]), several, caller="Test")
    for schema in (numbers, several):
        with pytest.raises(ValueError, match="X has no rows, and Test needs one at least"):
            list(read_pieces(lambda: iter([]), schema, caller="Test"))


AMOUNTS = pandas.DataFrame({"amount": [f"{value:,.2f}" for value in 1000 * abs(X[:, 0])], "kind": ["a", "b"] * 25})


def test_numbers_as_text_are_learned_as_those_of_the_frame():
    whole, known = learn_table(AMOUNTS, caller="Test")
    table, schema = learn_table(frames(AMOUNTS, 20), caller="Test")
    assert schema.frame == known.frame
    np.testing.assert_array_equal(table[:].numpy(), whole[:].numpy())
    np.testing.assert_array_equal(read_table(frames(AMOUNTS, 7), schema, caller="Test")[:].numpy(), whole[:].numpy())


def test_texts_of_another_form_are_named_once_in_all_passes(monkeypatch):
    monkeypatch.setattr(reading_sources, "ROWS_FOR_FORMS", 40)
    odd = AMOUNTS.assign(amount=[*AMOUNTS["amount"][:48], "twelve", "12 EUR"])
    with pytest.warns(UserWarning, match="column 'amount' held numbers as text in fit") as told:
        table, schema = learn_table(frames(odd, 20), caller="Test")
    assert len(told) == 1
    for _ in range(2):  # without another warning, which would be an error here
        assert np.isnan(table[:].numpy()[:, 0]).tolist() == [False] * 48 + [True] * 2
    with pytest.warns(UserWarning, match="column 'amount' held") as told:
        list(read_pieces(frames(odd, 1), schema, caller="Test"))
    assert len(told) == 1


def test_batches_of_masked_arrays_and_texts():
    masked = np.ma.masked_array(X, abs(X) > 1.5)
    whole, _ = learn_table(masked, caller="Test")
    table, schema = learn_table(batches(masked), caller="Test")
    np.testing.assert_array_equal(table[:].numpy(), whole[:].numpy())
    np.testing.assert_array_equal(read_table(batches(masked), schema, caller="Test")[:].numpy(), whole[:].numpy())
    table, _ = learn_table(batches(X.astype(str)), caller="Test")
    np.testing.assert_array_equal(table[:].numpy(), X.astype(str).astype(float))


@pytest.mark.filterwarnings("ignore:column 't'. the place of its times:UserWarning")
def test_zones_of_later_batches():
    times = pandas.DataFrame({"t": pandas.date_range("2024-01-01", periods=20, freq="7h", tz="UTC"), "x": range(20)})
    zoned = times.assign(t=times["t"].dt.tz_convert("America/New_York"))
    table, schema = learn_table(lambda: iter([times[:10], zoned[10:]]), caller="Test")
    np.testing.assert_array_equal(table[:].numpy(), learn_table(times, caller="Test")[0][:].numpy())
    bare = times.assign(t=times["t"].dt.tz_localize(None))
    with pytest.raises(ValueError, match=r"column 't' holds times in the zone UTC .*tz_localize\('UTC'\)"):
        learn_table(lambda: iter([times[:10], bare[10:]]), caller="Test")
    with pytest.raises(ValueError, match=r"in the zone UTC in fit, and now times without a zone"):
        read_table(lambda: iter([bare]), schema, caller="Test")
