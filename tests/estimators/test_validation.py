import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import AutoEncoder, Callback, load
from isthmus.data.dense import DenseTable
from isthmus.estimators.validation import group_numbers, held_out, whole_groups

DIGITS = load_digits().data[:600]
LAST = np.arange(540, 600)


def fitted(X=DIGITS, fit=None, **settings):
    return AutoEncoder(**{"latent": 4, "random_state": 0, "epochs": 2} | settings).fit(X, **(fit or {}))


def assert_same(one, other):
    np.testing.assert_array_equal(one.transform(DIGITS), other.transform(DIGITS))
    assert one.floor_ == other.floor_


def test_the_last_rows_can_be_named_in_any_way():
    last = fitted(validation="last")
    assert (last.fit_report_.rows, last.fit_report_.validation_rows) == (540, 60)
    mask = np.zeros(600, dtype=bool)
    mask[LAST] = True
    for same in (LAST, LAST[::-1].tolist(), mask):
        assert_same(fitted(validation=same), last)


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array])
def test_rows_of_their_own_do_as_the_same_rows_of_x(kind):
    assert_same(fitted(DIGITS[:540], validation=kind(DIGITS[540:])), fitted(validation=LAST))


def test_given_validation_rows_have_no_say_in_the_scaling():
    far = DIGITS.copy()
    far[LAST] *= 1000
    near, with_far = (fitted(X, validation=LAST, scale="standard") for X in (DIGITS, far))
    np.testing.assert_array_equal(near.scaling_.shift, with_far.scaling_.shift)
    np.testing.assert_array_equal(near.scaling_.scale, with_far.scaling_.scale)


def test_given_validation_rows_must_suit_the_likelihood():
    ones = (DIGITS > 8).astype(float)
    with pytest.raises(ValueError, match="likelihood Bernoulli needs values"):
        fitted(ones, likelihood="bce", validation=ones[:5] * 3)


def test_rows_of_their_own_of_frames_and_images():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.arange(200.0) ** 0.5, "b": ["x", "y"] * 100, "c": np.sin(np.arange(200.0))})
    model = fitted(frame[:180], validation=frame[180:], latent=2)
    assert model.fit_report_.validation_rows == 20
    with pytest.raises(ValueError, match=r"validation rows: .*'b'"):
        fitted(frame[:180], validation=frame[180:][["a"]], latent=2)
    pictures = DIGITS.reshape(-1, 8, 8)
    assert_same(fitted(pictures[:540], validation=pictures[540:]), fitted(pictures, validation=LAST))


def test_weights_and_positions_count_the_same_rows():
    weight = np.ones(600)
    weight[:100] = 0
    own, by_position = np.arange(90, 130), np.arange(30)
    found = held_out(own, DenseTable(DIGITS), weight)
    np.testing.assert_array_equal(found.positions, by_position)
    one, other = fitted(fit={"sample_weight": weight}, validation=own), fitted(DIGITS[100:], validation=by_position)
    np.testing.assert_allclose(one.transform(DIGITS), other.transform(DIGITS), atol=1e-8)
    rows = fitted(DIGITS[:540], fit={"sample_weight": weight[:540]}, validation=DIGITS[540:])
    assert (rows.fit_report_.rows, rows.fit_report_.validation_rows) == (440, 60)
    with pytest.raises(ValueError, match="0 of the 500 rows of positive weight are validation rows"):
        fitted(fit={"sample_weight": weight}, validation=np.arange(50))


@pytest.mark.parametrize("labels", [np.arange(600) // 5, np.array([f"p{i // 5}" for i in range(600)])])
def test_no_group_is_on_both_sides(labels):
    sides = []

    class Look(Callback):
        def on_fit_start(self, run):
            trained = run.index.numpy()
            sides.extend([set(labels[trained]), set(np.delete(labels, trained))])

    fitted(fit={"groups": labels}, callbacks=[Look()])
    assert all(sides)
    assert not sides[0] & sides[1]


def test_whole_groups_make_about_the_number_that_is_asked_for():
    sizes = np.random.default_rng(0).integers(1, 40, 60)
    groups = np.repeat(np.arange(60), sizes)
    for seed in range(5):
        positions = whole_groups(groups, 100, Generator().manual_seed(seed))
        assert 80 <= len(positions) <= 100
        assert not set(groups[positions]) & set(np.delete(groups, positions))
    # No group is small enough: the smallest is held out.
    assert whole_groups(np.array([0] * 30 + [1] * 20), 5, Generator()).tolist() == list(range(30, 50))


def test_group_numbers():
    np.testing.assert_array_equal(group_numbers(["b", "a", "b"], 3), [1, 0, 1])
    np.testing.assert_array_equal(group_numbers(np.array(["b", 1, None], dtype=object), 3), [2, 0, 1])
    assert group_numbers(None, 3) is None


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        ("first", "must be 'auto', a share of the rows .* got 'first'"),
        (None, "got None"),
        ([1.5, 2], r"got \[1.5, 2\]"),
        ([1, 1, 2], "names 1 positions twice"),
        ([600], "at least 1 and at most 599 of the 600 rows"),
        (np.arange(600), "at most 599 of the 600 rows of X, by positions from 0; got 600"),
        (np.ones(5, dtype=bool), "one value per row of X, 600; got 5"),
        (np.zeros(600, dtype=bool), "got 0"),
        (DIGITS[:5, :3], "validation rows: X has 3 features"),
        (DIGITS[:5] * np.nan, "validation rows: Input X contains NaN"),
    ],
)
def test_what_cannot_validate(validation, words):
    with pytest.raises(ValueError, match=words):
        fitted(validation=validation)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (np.arange(5), r"one label per row of X, 600; got shape \(5,\)"),
        (np.zeros(600), "at least 2 different labels"),
        (np.where(np.arange(600) > 3, np.nan, 1), "596 missing labels"),
    ],
)
def test_groups_that_cannot_be(groups, words):
    with pytest.raises(ValueError, match=words):
        fitted(fit={"groups": groups})


@pytest.mark.parametrize("validation", ["last", LAST, DIGITS[:5]])
def test_groups_go_with_random_rows_alone(validation):
    with pytest.raises(ValueError, match="groups draws whole groups at random"):
        fitted(fit={"groups": np.arange(600) // 10}, validation=validation)


@pytest.mark.parametrize(
    ("settings", "fit", "words"),
    [
        ({"validation": "last"}, {}, "of a source larger than memory, validation rows are drawn at random"),
        ({"validation": DIGITS[:5]}, {}, "validation rows of their own must be in memory"),
        ({}, {"groups": np.arange(600) // 10}, "groups needs rows in memory"),
    ],
)
def test_sources_larger_than_memory(settings, fit, words):
    def batches():
        yield DIGITS

    with pytest.raises(ValueError, match=words):
        fitted(batches, fit=fit, **settings)


def test_a_file_keeps_no_rows(tmp_path):
    model = clone(AutoEncoder(4, epochs=1, random_state=0, validation=DIGITS[:50])).fit(DIGITS[50:])
    model.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").validation == "auto"
    fitted(validation="last").save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").validation == "last"


def test_positions_are_a_split_of_all_rows():
    validation, training = held_out(LAST, DenseTable(DIGITS)).split(DenseTable(DIGITS), 0, Generator())
    assert sorted([*validation.tolist(), *training.tolist()]) == list(range(600))
    assert isinstance(training, torch.Tensor)
