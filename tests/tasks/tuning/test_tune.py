"""Searches: what is tried, what is taken, and what is told of bad input."""

import builtins

import numpy as np
import pytest
import scipy.sparse

import isthmus
from isthmus import AnomalyDetector, AutoEncoder, Callback, Imputer, TrainingWarning, tune
from isthmus.core.extras import MissingExtraError
from isthmus.tasks.tuning.searching import LONGER

rng = np.random.default_rng(0)
CODES = rng.normal(size=(700, 2))
X = np.tanh(CODES @ rng.normal(size=(2, 6))) + 0.01 * rng.normal(size=(700, 6))
MODEL = AutoEncoder(2, epochs=3)
SPACE = {"hidden": [(8,), (16,)], "learning_rate": (1e-3, 1e-2, "log")}


def search(X=X, y=None, **kind):
    given = {"model": MODEL, "space": SPACE, "trials": 4, "random_state": 0} | kind
    return tune(X, y, **given)


@pytest.fixture(scope="module")
def found():
    return search(trials=6)


def kept(found):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found.table]


def test_the_defaults_come_first_and_then_longer_ones(found):
    assert [row["note"] for row in found.table[:2]] == ["defaults", LONGER]
    assert found.table[0]["parameters"] == {}
    assert found.table[1]["parameters"] == {"epochs": 12}
    assert len(found.table) == 6


def test_the_best_estimator_is_fitted_to_all_rows(found):
    assert found.best_estimator_ is found.best_
    report = found.best_.fit_report_
    assert report.rows + report.validation_rows == len(X)
    for name, value in found.best_params_.items():
        assert found.best_.get_params()[name] == value


def test_the_same_seed_searches_the_same_way(found):
    again = search(trials=6)
    assert kept(again) == kept(found)
    assert again.verdict == found.verdict
    assert np.array_equal(again.best_.transform(X), found.best_.transform(X))


def test_the_size_of_the_code_stays_what_the_defaults_made_it(found):
    shared = search(model=AutoEncoder(0.9, epochs=3), trials=3, space={"preset": ["denoising"]})
    assert len({row["latent"] for row in shared.table}) == 1


def test_models_are_not_changed():
    model = AutoEncoder(2, epochs=2)
    search(model=model, trials=2)
    assert model.get_params() == AutoEncoder(2, epochs=2).get_params()
    assert model.fitted_model() is None


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    search(trials=2)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_failed_trials_are_recorded_and_do_no_harm():
    told = search(space={"batch_size": [-3, "auto"], "activation": ["silu", "relo"]}, trials=6)
    failed = [row for row in told.table if row["state"] == "failed"]
    assert failed
    assert all("ValueError: " in row["note"] for row in failed)
    assert told.table[told.chosen]["state"] == "complete"


def test_what_the_defaults_raise_is_raised():
    with pytest.raises(ValueError, match="unknown activation 'relo'"):
        search(model=AutoEncoder(2, activation="relo"))
    with pytest.raises(ValueError, match=r"NaN|infin"):
        search(np.full((100, 3), np.inf))


def test_a_trial_of_the_same_values_is_not_run_twice():
    told = search(space={"hidden": [(8,), (128,)]}, trials=7)
    notes = [row["note"] for row in told.table]
    assert any(note.startswith("the same as trial") for note in notes)


def test_time_ends_a_search_after_the_defaults():
    told = search(trials=None, seconds=1e-3)
    assert [row["note"] for row in told.table] == ["defaults"]
    assert "defaults stand" in str(told.verdict)


class Interrupt(Callback):
    """Ctrl-C in the third training after the first look, that is in the third trial."""

    left = 4

    def on_epoch_end(self, run):
        if run.epoch == 1:
            type(self).left -= 1
            if not type(self).left:
                raise KeyboardInterrupt


def test_ctrl_c_keeps_the_best_so_far():
    Interrupt.left = 3
    with pytest.warns(TrainingWarning, match="ends with the best trial so far"):
        told = search(model=AutoEncoder(2, epochs=3, callbacks=[Interrupt()]), trials=9)
    assert told.interrupted
    assert [row["state"] for row in told.table] == ["complete"] * 2
    assert "ended by Ctrl-C" in repr(told)


def test_ctrl_c_before_the_defaults_are_measured_goes_on_to_the_caller():
    Interrupt.left = 1
    with pytest.raises(KeyboardInterrupt):
        search(model=AutoEncoder(2, epochs=3, callbacks=[Interrupt()]))


def test_a_line_and_a_row_per_trial_are_told(capsys):
    told = []
    found = search(trials=3, verbose=1, on_trial=told.append)
    assert [row["trial"] for row in told] == [0, 1, 2]
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert told[0]["value"] == found.table[0]["value"]


def test_optuna_says_nothing(capfd):
    search(trials=3)
    told = capfd.readouterr()
    assert told.out == ""
    assert "Trial" not in told.err
    assert "optuna" not in told.err


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"X": X[:20]}, "20 rows, and a search needs at least 30"),
        ({"objective": "probe"}, "give y, one label per row"),
        ({"objective": "eror"}, "did you mean 'error'"),
        ({"objective": "impute"}, "compares imputers, and model is AutoEncoder"),
        ({"model": AnomalyDetector(), "space": None}, "no objective suits AnomalyDetector without labels y"),
        ({"y": np.zeros(3)}, r"one label per row of X, 700; got shape \(3,\)"),
        ({"y": np.where(np.arange(700) == 3, np.nan, 1.0)}, "1 missing labels"),
        ({"y": np.arange(700) % 3, "objective": "auroc"}, "1 for anomalies and 0 for normal rows"),
        ({"y": np.arange(700) == 3, "objective": "auroc"}, "at least 10 rows of each kind"),
        ({"space": {"laten": (1, 2)}}, "did you mean 'latent'"),
        ({"space": [1]}, "space must be a dict"),
        ({"trials": 0}, "trials must be a whole number of at least 1"),
        ({"seconds": -1}, "seconds must be a positive number"),
    ],
)
def test_bad_input_is_told_of(kind, message):
    with pytest.raises(ValueError, match=message):
        search(**kind)


def test_a_missing_optuna_names_the_command(monkeypatch):
    original = builtins.__import__

    def without(name, *rest, **kind):
        if name == "optuna":
            raise ImportError(name)
        return original(name, *rest, **kind)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'isthmus\[tune\]'"):
        search()


def test_importing_isthmus_does_not_import_optuna():
    assert isthmus.tune.__module__ == "isthmus.tasks.tuning.tune"


def test_sources_and_images_and_sparse_rows_are_taken(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X.astype(np.float32))
    assert search(path, trials=2).best_.n_features_in_ == 6
    images = np.abs(X[:200, :4].reshape(-1, 2, 2))
    assert search(images, trials=2, space=None).best_.reconstruct(images).shape == images.shape
    counts = scipy.sparse.csr_array(rng.poisson(0.5, size=(200, 8)).astype(float))
    told = search(counts, model=AutoEncoder(2, likelihood="poisson", epochs=2), trials=3, space=None)
    assert told.table[0]["value"] > 0


def test_frames_and_imputers_are_taken():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X[:100, :3], columns=list("abc")).assign(kind=np.where(X[:100, 0] > 0, "up", "down"))
    told = search(frame, trials=2)
    assert list(told.best_.feature_names_in_) == ["a", "b", "c", "kind"]
    frame.loc[::7, "b"] = np.nan
    quick = Imputer(AutoEncoder(2, hidden=(8,), epochs=2), members=1, methods=("gaussian",))
    told = search(frame, model=quick, trials=2, space={"methods": [("gaussian",), ("shrunk gaussian",)]})
    assert told.objective == "impute"
    assert not told.best_.transform(frame).isna().any().any()


def test_groups_and_the_order_of_time_are_kept():
    assert search(groups=np.arange(700) // 7, trials=2).table
    assert search(holdout="last", trials=2).rows.startswith("trials are compared on 140 rows")
