"""What TensorBoard itself reads of the files."""

import math

import numpy as np
import pytest

from isthmus import AutoEncoder, Callback, TensorBoard, TrainingWarning, zoo

pytest.importorskip("tensorboard")
X = np.random.default_rng(0).normal(size=(60, 4))
PLAIN = {"latent": 2, "hidden": (8,), "epochs": 3, "validation": 0.25, "floor": "tell", "random_state": 0}


def read(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(path))
    found.Reload()
    return found


def scalars(path, tag):
    found = read(path).Scalars(tag)
    return [one.step for one in found], [one.value for one in found]


def test_every_column_of_the_history_is_a_curve(tmp_path):
    board = TensorBoard(tmp_path)
    ae = zoo.variational(**PLAIN, beta=4, callbacks=[board]).fit(X)
    tags = read(board.path).Tags()
    assert {"loss/train", "loss/validation", "kl/train", "kl/validation", "learning_rate", "seconds"} <= set(
        tags["scalars"]
    )
    steps, values = scalars(board.path, "loss/validation")
    assert steps == ae.history_["epoch"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(values, ae.history_["val_loss"], rtol=1e-6)
    np.testing.assert_allclose(scalars(board.path, "loss/train")[1], ae.history_["loss"][1:], rtol=1e-6)
    best = ae.history_["val_loss"][ae.history_.best_epoch]
    assert scalars(board.path, "best/val_loss")[1] == [pytest.approx(best, rel=1e-6)]


def test_parameters_are_text_and_hparams(tmp_path):
    from tensorboard.plugins.hparams import plugin_data_pb2

    board = TensorBoard(tmp_path)
    zoo.variational(**PLAIN, beta=4, callbacks=[board]).fit(X)
    found = read(board.path)
    text = found.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| penalty.beta | 4 |" in text
    assert "| random_state | 0 |" in text
    session = plugin_data_pb2.HParamsPluginData.FromString(
        found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    )
    assert session.session_start_info.hparams["penalty.beta"].number_value == 4


def test_each_training_has_a_folder_and_partial_fit_goes_on_in_one_file(tmp_path):
    board = TensorBoard(tmp_path, name="run")
    ae = AutoEncoder(**PLAIN, callbacks=[board]).fit(X).fit(X)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2"]
    ae = AutoEncoder(**PLAIN, callbacks=[board]).partial_fit(X).partial_fit(X)
    assert board.path.name == "run-3"
    assert len(list(board.path.iterdir())) == 1
    steps, values = scalars(board.path, "loss/train")
    assert steps == [1, 2]
    np.testing.assert_allclose(values, ae.history_["loss"], rtol=1e-6)


def test_what_is_written_is_whole_after_each_epoch(tmp_path):
    class Read(Callback):
        seen = ()

        def on_epoch_end(self, run):
            self.seen = (*self.seen, len(scalars(board.path, "loss/train")[0]))

    board, look = TensorBoard(tmp_path), Read()
    AutoEncoder(**PLAIN, callbacks=[board, look]).fit(X)
    assert look.seen == (1, 2, 3)


def test_values_that_are_not_finite_are_curves_too(tmp_path):
    board = TensorBoard(tmp_path)

    class Broken(Callback):
        def on_epoch_end(self, run):
            run.history.rows[-1]["loss"] = math.nan

    AutoEncoder(**PLAIN, callbacks=[Broken(), board]).fit(X)
    assert all(map(math.isnan, scalars(board.path, "loss/train")[1]))


def test_a_folder_that_cannot_be_made_costs_no_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(TrainingWarning, match="TensorBoard writes nothing more"):
        ae = AutoEncoder(**PLAIN, callbacks=[TensorBoard(tmp_path / "file" / "runs")]).fit(X)
    assert ae.n_iter_ == 3
