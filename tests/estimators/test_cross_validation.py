import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA

from isthmus import AutoEncoder, TrainingWarning
from isthmus.estimators.comparison import Comparison
from isthmus.estimators.cross_validation import FOLDS, Fold, parts, summary_of

DIGITS = load_digits().data


def test_folds_hold_every_row_out_once_and_groups_together():
    groups = np.random.default_rng(0).integers(0, 12, 50)
    found = parts(groups, FOLDS)
    assert len(found) == FOLDS
    assert sorted(np.concatenate(found).tolist()) == list(range(50))
    for fold in found:
        assert not set(groups[fold]) & set(np.delete(groups, fold))


@pytest.mark.parametrize(("groups", "least"), [(np.arange(9), 5), (np.arange(40) % 4, 5), (np.arange(40) % 9, 10)])
def test_too_few_rows_or_groups_have_no_folds(groups, least):
    assert parts(groups, least) == []


def test_the_epochs_with_the_least_error_over_all_folds_are_found():
    curves = [torch.tensor([[3.0], [1.0], [2.0]]).expand(3, 4), torch.tensor([[3.0], [4.0], [2.0]]).expand(3, 6)]
    folds = [
        Fold("PCA with 2", [0, 1, 4], curve.double(), Comparison(*(torch.ones(curve.shape[1]).double(),) * 4))
        for curve in curves
    ]
    found = summary_of(folds, np.arange(10))
    # (4 · 1 + 6 · 4) / 10 = 2.8 after one epoch, 2 after four.
    assert found.epochs == 4
    assert found.best.model_error == 2
    assert found.last.model_error == 1
    assert (found.best.rows, found.best.folds) == (10, 2)


def test_where_nothing_is_gained_components_of_all_rows_are_returned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 12)) + 0.3 * rng.normal(size=(30, 12))
    with pytest.warns(TrainingWarning, match="principal components are returned"):
        model = AutoEncoder(3, random_state=0).fit(X)
    assert model.floor_.returned
    assert model.floor_.rows == 30
    assert model.history_.stopped == "cross-validation found no gain in training"
    Z = (X - X.mean(0)) / X.std(0)
    pca = PCA(3).fit(Z)
    expected = pca.inverse_transform(pca.transform(Z)) * X.std(0) + X.mean(0)
    np.testing.assert_allclose(model.reconstruct(X), expected, atol=1e-4)


def test_a_gain_is_kept_and_holds_on_other_rows():
    rows = np.random.default_rng(0).permutation(len(DIGITS))
    few, others = DIGITS[rows[:80]], DIGITS[rows[80:]]
    model = AutoEncoder(8, random_state=0).fit(few)
    assert not model.floor_.returned
    assert model.floor_.folds == FOLDS
    assert "in 5-fold cross-validation" in str(model.floor_)
    assert 0 < model.n_iter_ < 200
    pca = PCA(8).fit(few)
    theirs = ((pca.inverse_transform(pca.transform(others)) - others) ** 2).mean()
    assert model.reconstruction_error(others).mean() < theirs


@pytest.mark.slow
@pytest.mark.parametrize("count", [15, 40, 80])
def test_few_rows_of_wine_are_not_below_the_floor(count):
    wine = load_wine().data
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(len(wine))
        few, others = wine[rows[:count]], wine[rows[count:]]
        model = AutoEncoder(3, random_state=seed).fit(few)
        shift, scale = few.mean(0), few.std(0)
        Z = (others - shift) / scale
        pca = PCA(3).fit((few - shift) / scale)
        theirs = ((pca.inverse_transform(pca.transform(Z)) - Z) ** 2).mean(1)
        ours = (((model.reconstruct(others) - others) / scale) ** 2).mean(1)
        change = ours - theirs
        assert change.mean() <= max(change.std() / len(change) ** 0.5, 0.05 * theirs.mean())


def test_telling_trains_as_it_would_without():
    settings = {"random_state": 0, "epochs": 5}
    told = AutoEncoder(4, floor="tell", **settings).fit(DIGITS[:60])
    plain = AutoEncoder(4, validation=0.0, **settings).fit(DIGITS[:60])
    np.testing.assert_array_equal(told.transform(DIGITS), plain.transform(DIGITS))
    assert told.floor_.rows == 60
    assert not hasattr(plain, "floor_")


def test_groups_of_few_rows_stay_together():
    rows = np.repeat(DIGITS[:20], 3, axis=0) + np.random.default_rng(0).normal(0, 1e-3, (60, 64))
    settings = {"random_state": 0, "epochs": 20, "floor": "tell"}
    leaking = AutoEncoder(8, **settings).fit(rows).floor_
    honest = AutoEncoder(8, **settings).fit(rows, groups=np.repeat(np.arange(20), 3)).floor_
    assert honest.model_error > 1.5 * leaking.model_error


def test_equal_rows_are_a_group_by_themselves():
    rows = np.repeat(DIGITS[:20], 3, axis=0)
    settings = {"random_state": 0, "epochs": 5, "floor": "tell"}
    same = AutoEncoder(8, **settings).fit(rows, groups=np.repeat(np.arange(20), 3)).floor_
    alone = AutoEncoder(8, **settings).fit(rows).floor_
    assert alone.error == pytest.approx(same.error, rel=0.5)
    assert alone.error > 0.5 * AutoEncoder(8, **settings).fit(DIGITS[:20]).floor_.error
