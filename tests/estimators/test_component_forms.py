import numpy as np
import pytest

from isthmus import AutoEncoder, TrainingWarning, load


def frame(n):
    pandas = pytest.importorskip("pandas")
    z = np.random.default_rng(0).normal(size=(n, 2))
    noise = np.random.default_rng(1).normal(size=(n, 4))
    return pandas.DataFrame(
        {
            "a": z[:, 0] + 0.1 * noise[:, 0],
            "b": z[:, 0] - z[:, 1] + 0.1 * noise[:, 1],
            "c": np.where(z[:, 1] > 0, "up", "down"),
            "d": np.exp(z[:, 1] + 0.1 * noise[:, 2]),
            "e": z.sum(1) + 0.1 * noise[:, 3],
        }
    )


def test_tables_of_several_kinds_have_a_floor(tmp_path):
    rows = frame(600)
    model = AutoEncoder(2, random_state=0).fit(rows)
    assert model.floor_.method == "PCA with 2"
    assert model.floor_.variance == 1
    assert model.floor_.won
    model.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").floor_ == model.floor_
    # In the measure of `reconstruction_error`.
    last = AutoEncoder(2, random_state=0, validation="last").fit(rows)
    assert last.floor_.model_error == pytest.approx(last.reconstruction_error(rows[540:]).mean(), rel=1e-4)


def test_a_linear_network_takes_the_place_of_one_that_does_not_reach_it():
    rows = frame(600)
    with pytest.warns(TrainingWarning, match="principal components are returned"):
        model = AutoEncoder(2, (1,), epochs=2, random_state=0, validation="last").fit(rows)
    assert model.floor_.returned
    assert len(model.network_.encoder.weights) == 1
    assert model.reconstruction_error(rows[540:]).mean() == pytest.approx(model.floor_.error, rel=1e-4)
    assert list(model.reconstruct(rows).columns) == list(rows.columns)
    assert np.isfinite(model.score(rows))


def test_few_rows_of_several_kinds():
    floor = AutoEncoder(2, random_state=0).fit(frame(50)).floor_
    assert (floor.rows, floor.folds) == (50, 5)
