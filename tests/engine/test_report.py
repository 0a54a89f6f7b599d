import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute, load
from isthmus.engine.report import FitReport, counted

X = np.random.default_rng(0).random((300, 6))
COMPUTE = Compute(device="cpu", threads=1, matmul="torch")


def test_what_was_chosen_is_in_it():
    model = AutoEncoder(2, epochs=3, random_state=0, compute=COMPUTE).fit(X)
    assert model.fit_report_.to_dict() == {
        "rows": 270,
        "validation_rows": 30,
        "epochs": 3,
        "batches": 3,
        "batch_size": 90,
        "learning_rate": 0.005,
        "schedule": "cosine",
        "device": "cpu",
        "data": "on cpu",
        "precision": "float64",
        "threads": "1",
        "steps": "fused backward pass",
        "scale": "standard (columns may be in different units), codes are the principal components",
        "floor": str(model.floor_),
    }


def test_one_line():
    text = str(AutoEncoder(2, epochs=3, random_state=0, penalty="l1").fit(X).fit_report_)
    assert "\n" not in text
    for word in (
        "270 training",
        "30 validation",
        "3 epochs of 3 batches of 90 rows",
        "0.005 (cosine)",
        "cpu",
        "float64",
    ):
        assert word in text
    assert "autograd" in text


def test_html_is_a_table_of_every_field():
    report = AutoEncoder(2, epochs=3, random_state=0).fit(X).fit_report_
    report.threads = "1 <of> 2"
    table = ET.fromstring(report._repr_html_())
    values = [cell.text for cell in table.iter("td")]
    assert len(values) == len(list(table.iter("th"))) == len(report.to_dict())
    assert {"270", "30", "0.005", "cosine", "1 <of> 2"} <= set(values)


def test_numbers_have_their_nouns():
    assert counted(1, "row") == "1 row"
    assert counted(0, "row") == "0 rows"
    assert counted(1442, "row") == "1,442 rows"
    assert (counted(1, "batch", "batches"), counted(2, "batch", "batches")) == ("1 batch", "2 batches")


def test_there_and_back():
    report = AutoEncoder(2, epochs=1, random_state=0).fit(X).fit_report_
    assert FitReport.from_dict(report.to_dict()) == report


def test_it_is_saved(tmp_path):
    ae = AutoEncoder(2, epochs=1, random_state=0).fit(X)
    ae.save(tmp_path / "model")
    assert load(tmp_path / "model").fit_report_ == ae.fit_report_


def test_the_log_says_it_in_one_line(capsys):
    ae = AutoEncoder(2, epochs=1, random_state=0, verbose=1).fit(X)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("start")]
    assert str(replace(ae.fit_report_, floor="")) in line


@pytest.mark.parametrize("name", ["compile", "cuda_graph"])
def test_flags_are_flags(name):
    with pytest.raises(ValueError, match=f"{name} .* True or False; got 'yes'"):
        AutoEncoder(2, compute=Compute(**{name: "yes"})).fit(X)


def compiler():
    return any(map(shutil.which, ("c++", "g++", "clang++", "cl")))


@pytest.mark.slow
@pytest.mark.skipif(not compiler(), reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # torch's own, within the compiler
@pytest.mark.parametrize("settings", [{}, {"penalty": "l1", "corruption": "gaussian_noise"}])
def test_compiled_steps_train_the_same(settings):
    settings = {"latent": 2, "epochs": 2, "random_state": 0} | settings
    found = [AutoEncoder(**settings, compute=Compute(threads=1, compile=on)).fit(X) for on in (False, True)]
    assert found[1].fit_report_.steps == "autograd, encoder and decoder compiled"
    np.testing.assert_allclose(*[ae.history_["val_loss"] for ae in found], rtol=1e-6)
    assert found[1].network_.encoder._compiled_call_impl is None


def test_what_cannot_be_compiled_is_refused_in_words(monkeypatch):
    def refuse(module):
        module._compiled_call_impl = lambda x: torch.no_such_function

    monkeypatch.setattr(torch.nn.Module, "compile", refuse)
    with pytest.raises(
        RuntimeError, match=r"torch.compile cannot compile this network .*take compute=Compute\(compile=False\)"
    ):
        AutoEncoder(2, compute=Compute(compile=True), random_state=0, validation=0.0).fit(X)
