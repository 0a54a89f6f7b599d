"""The imputation benchmark removes the cells it says, judges them as it says, and its contenders fill every gap."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.added_column import ADDED, COLUMNS, added, informed
from benchmarks.fillers import OURS, Forests, contenders, timed
from benchmarks.gaps import gaps
from benchmarks.imputation_report import is_above_zero, report
from benchmarks.mixed_tables import hidden, is_number, losses

OTHERS = [name for name in contenders(Forests()) if name != OURS]


def mixed(rows: int = 400) -> pd.DataFrame:
    """Return a table of two numbers, a flag and a text that all follow one factor, with a few gaps of its own."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=rows)
    table = pd.DataFrame(
        {
            "one": factor + 0.1 * rng.normal(size=rows),
            "two": -factor + 0.1 * rng.normal(size=rows),
            "flag": (factor > 0.5).astype(float),
            "text": np.array(["low", "middle", "high"], dtype=object)[np.digitize(factor, [-0.5, 0.5])],
        }
    )
    return table.mask(rng.random(table.shape) < 0.03)


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("mechanism", ["mcar", "mar", "mnar"])
def test_the_share_of_removed_cells_is_the_rate(mechanism, rate):
    removed = gaps(np.random.default_rng(0).normal(size=(2000, 6)), mechanism, rate, seed=1)
    shares = removed.mean(0)
    kept = 2 if mechanism == "mar" else 0
    assert (shares == 0).sum() == kept
    np.testing.assert_allclose(shares[shares > 0], rate, atol=0.04)


def test_what_makes_a_cell_missing_is_seen_at_random_given_others_and_hidden_otherwise():
    X = np.random.default_rng(0).normal(size=(3000, 6))
    removed = gaps(X, "mar", 0.3, seed=0)
    lossy = removed.any(0)
    own = [abs(np.corrcoef(X[:, j], removed[:, j])[0, 1]) for j in np.flatnonzero(lossy)]
    kept = [max(abs(np.corrcoef(x, removed[:, j])[0, 1]) for x in X[:, ~lossy].T) for j in np.flatnonzero(lossy)]
    assert max(own) < 0.1 < 0.4 < min(kept)
    removed = gaps(X, "mnar", 0.3, seed=0)
    assert min(abs(np.corrcoef(X[:, j], removed[:, j])[0, 1]) for j in range(6)) > 0.4


@pytest.mark.parametrize("mechanism", ["mcar", "mar", "mnar"])
def test_only_cells_that_are_there_are_removed_and_some_are_left(mechanism):
    table = mixed(40)
    removed = hidden(table, mechanism, 0.9, seed=0)
    assert not (removed & table.isna()).to_numpy().any()
    assert (table.mask(removed).count() >= 2).all()
    had_cells = table.notna().any(axis=1)
    assert table.mask(removed).notna().any(axis=1).sum() >= had_cells.sum() - 2 * table.shape[1]


@pytest.mark.parametrize("name", OTHERS)
def test_contenders_fill_every_gap_and_keep_what_is_there(name):
    table = mixed()
    removed = hidden(table, "mcar", 0.2, seed=0)
    with_gaps = table.mask(removed)
    filled, _ = timed(contenders(Forests(trees=5, rounds=2))[name](0), with_gaps)
    assert not filled.isna().to_numpy().any()
    there = with_gaps.notna().to_numpy()
    for place, column in enumerate(table):
        own = there[:, place]
        if not is_number(table[column]):
            assert (filled[column][own] == table[column][own]).all()
        else:
            np.testing.assert_allclose(filled[column][own].astype(float), table[column][own])
    found = losses(table, removed, filled)
    assert set(found["numbers"]) == {"one", "two"}
    assert set(found["categories"]) == {"flag", "text"}
    if name != "mean/mode":
        assert max(found["numbers"].values()) < 0.7
        assert found["categories"]["flag"] < 0.4


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "mean/mode"])
def test_a_text_that_another_column_tells_is_filled_in(name):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=300)
    texts = np.where(factor > 0, "high", "low").astype(object)
    table = pd.DataFrame({"number": factor, "copy": factor + 0.1 * rng.normal(size=300), "text": texts})
    gone = rng.random(300) < 0.3
    filled, _ = timed(contenders(Forests(trees=10, rounds=3))[name](0), table.assign(text=table["text"].mask(gone)))
    assert (filled["text"][gone] == texts[gone]).mean() > 0.85


def test_the_right_values_have_no_loss_and_the_mean_has_one_standard_deviation():
    table = mixed().dropna().reset_index(drop=True)
    everywhere = pd.DataFrame(True, index=table.index, columns=table.columns)
    assert all(loss == 0 for kind in losses(table, everywhere, table).values() for loss in kind.values())
    means = table.assign(one=table["one"].mean(), two=table["two"].mean(), flag=0.4)
    found = losses(table, everywhere, means)
    np.testing.assert_allclose(list(found["numbers"].values()), 1.0)
    assert found["categories"]["flag"] == pytest.approx(table["flag"].mean())
    with pytest.raises(ValueError, match="column 'one': 1 of"):
        losses(table, everywhere, table.mask(table["one"] == table["one"].max()))


@pytest.mark.parametrize("kind", COLUMNS)
def test_an_added_column_leaves_the_others_as_they_are(kind):
    table = mixed().dropna().reset_index(drop=True)
    larger = added(table, kind, seed=0)
    pd.testing.assert_frame_equal(larger[list(table)], table)
    if kind == "rare":
        assert larger[ADDED].value_counts(normalize=True)["rare"] == pytest.approx(0.02, abs=0.005)
    if kind == "informative":
        means = table[informed(table)].groupby(larger[ADDED]).mean()
        assert means.is_monotonic_increasing


def test_the_report_ranks_names_losses_and_worse_columns(capsys):
    names = ["mean/mode", "ridge", OURS]
    errors = {"mean/mode": (1.0, 0.5), "ridge": (0.6, 0.2), OURS: (0.5, 0.3)}
    results = {
        ("t", "mcar", 0.3, seed, name): {
            "numbers": {"a": errors[name][0] + seed / 100, "b": 1.0 + (0.2 + seed / 100) * (name == OURS)},
            "categories": {"c": errors[name][1]},
            "seconds": 1.0,
        }
        for seed in range(3)
        for name in names
    }
    found = report(results, names)
    assert found["categories"]["overall"] == [3.0, 1.0, 2.0]
    assert [one["by"] for one in found["categories"]["lost"]] == ["ridge"]
    assert {one["column"] for one in found["worse columns"]} == {"b"}
    assert not found["met"]
    assert "NOT MET" in capsys.readouterr().out


def test_a_mean_above_zero_is_told_from_noise():
    assert is_above_zero(np.array([1.0, 1.1, 0.9]))
    assert not is_above_zero(np.array([1.0, -1.1, 0.9]))
    assert not is_above_zero(np.array([1.0]))
    assert not is_above_zero(np.zeros(3))
