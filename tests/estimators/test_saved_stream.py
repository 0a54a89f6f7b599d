"""A model that was trained chunk by chunk, saved and loaded, goes on as the unsaved one does."""

import json
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.base import clone

from isthmus import AutoEncoder, Part, TopK, load, register

RNG = np.random.default_rng(0)
X = RNG.normal(size=(480, 3)) @ RNG.normal(size=(3, 8)) + 0.1 * RNG.normal(size=(480, 8))
CHUNKS = np.split(X, 8)
FRAME = pd.DataFrame(X[:, :4], columns=list("abcd")).assign(
    kind=np.where(X[:, 4] > 0, "x", "y"), count=RNG.poisson(3, 480), flag=X[:, 5] > 0
)
FRAME.loc[::7, "b"] = np.nan
SETTINGS = {
    "plain": {},
    "deep": {"hidden": (12, 6)},
    "noise": {"corruption": "gaussian_noise"},
    "heavy tails": {"likelihood": "student_t"},
    "tied": {"decoder": "tied"},
    "adamw": {"optimizer": "adamw"},
    "variational": {"code": "gaussian", "penalty": "kl"},
    "quantised": {"code": "vector_quantizer"},
    "top": {"code": TopK(2), "latent": 6},
    "orthogonal": {"init": "orthogonal"},
    "adversarial": {"penalty": "adversarial"},
}


def model(**settings):
    return AutoEncoder(**{"latent": 2, "hidden": (10,), "random_state": 0} | settings)


def weights(ae):
    return torch.cat([tensor.double().flatten() for tensor in ae.network_.state_dict().values()])


def assert_same(one, other, rows):
    assert torch.equal(weights(one), weights(other))
    np.testing.assert_array_equal(one.transform(rows), other.transform(rows))
    np.testing.assert_array_equal(one.score_samples(rows), other.score_samples(rows))
    np.testing.assert_array_equal(one.history_["loss"], other.history_["loss"])


@pytest.mark.parametrize("name", SETTINGS)
def test_arrays_go_on_bit_for_bit(name, tmp_path):
    ae = model(**SETTINGS[name])
    for chunk in CHUNKS[:4]:
        ae.partial_fit(chunk)
    ae.save(tmp_path / "model")
    others = [load(tmp_path / "model"), pickle.loads(pickle.dumps(ae))]
    for chunk in CHUNKS[4:]:
        ae.partial_fit(chunk)
        for other in others:
            assert_same(ae, other.partial_fit(chunk), X)


def test_tables_go_on_bit_for_bit(tmp_path):
    ae = model()
    chunks = np.array_split(np.arange(480), 8)
    for rows in chunks[:4]:
        ae.partial_fit(FRAME.iloc[rows])
    ae.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for rows in chunks[4:]:
        assert_same(ae.partial_fit(FRAME.iloc[rows]), loaded.partial_fit(FRAME.iloc[rows]), FRAME)
        assert ae.columns_ == loaded.columns_


def test_a_stream_that_changes_goes_on_bit_for_bit(tmp_path):
    still = CHUNKS[0].copy()
    still[:, 2] = 1.0
    ae = model().partial_fit(still)
    for number, chunk in enumerate(CHUNKS[1:]):
        ae.save(tmp_path / "model")
        ae.partial_fit(chunk)
        assert_same(ae, load(tmp_path / "model").partial_fit(chunk), X)
        assert ae.n_iter_ == number + 2


def test_it_goes_on_after_fit_too(tmp_path):
    ae = model(epochs=3).fit(X[:200])
    ae.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for chunk in CHUNKS[4:6]:
        assert_same(ae.partial_fit(chunk), loaded.partial_fit(chunk), X)


def test_a_second_save_is_the_same_file(tmp_path):
    model().partial_fit(CHUNKS[0]).partial_fit(CHUNKS[1]).save(tmp_path / "one")
    load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one").stat().st_size == (tmp_path / "two").stat().st_size
    for path in ("one", "two"):
        assert_same(load(tmp_path / path).partial_fit(X), load(tmp_path / "one").partial_fit(X), X)


def test_without_what_it_takes_to_go_on(tmp_path):
    ae = model().partial_fit(CHUNKS[0]).partial_fit(CHUNKS[1])
    ae.save(tmp_path / "whole")
    ae.save(tmp_path / "small", resume=False)
    assert (tmp_path / "small").stat().st_size < 0.8 * (tmp_path / "whole").stat().st_size
    loaded = load(tmp_path / "small")
    np.testing.assert_array_equal(loaded.transform(X), ae.transform(X))
    with pytest.warns(UserWarning, match=r"saved without the memory of its optimiser.*save\(path\) keeps") as told:
        loaded.partial_fit(CHUNKS[2])
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded.partial_fit(CHUNKS[3])


def test_what_was_lost_is_not_saved_as_if_it_were_there(tmp_path):
    model().partial_fit(CHUNKS[0]).save(tmp_path / "small", resume=False)
    load(tmp_path / "small").save(tmp_path / "again")
    with pytest.warns(UserWarning, match="saved without the memory of its optimiser"):
        load(tmp_path / "again").partial_fit(CHUNKS[1])


def test_a_fitted_model_has_nothing_to_lose(tmp_path):
    ae = model(epochs=2).fit(X)
    ae.save(tmp_path / "one")
    ae.save(tmp_path / "two", resume=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(load(tmp_path / "one").partial_fit(X), load(tmp_path / "two").partial_fit(X), X)


def as_schema_2(path):
    """Rewrite a file as the versions before wrote it: the moments of the columns, and no memory."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["isthmus"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header["schema"] = 2
    del header["fitted"]["stream"]
    known = len(tensors["stream.moments.older_mean"])
    older = {name: tensors[f"stream.moments.older_{name}"] for name in ("mean", "squares")}
    if not known:  # Those of tables were not kept.
        older = {name: torch.zeros(header["fitted"]["table"]["n_features"]).double() for name in older}
    for name in [name for name in tensors if name.startswith("stream.")]:
        del tensors[name]
    tensors |= {f"moments.{name}": tensor for name, tensor in older.items()}
    tensors |= {f"moments.{name}": older["mean"].clone() for name in ("smallest", "largest", "whole")}
    tensors["moments.total"] = torch.tensor(60.0 if known else 0.0, dtype=torch.float64)
    save_file(tensors, path, metadata={"isthmus": json.dumps(header)})


@pytest.mark.parametrize("streamed", [True, False])
def test_files_of_schema_2_begin_a_new_optimiser(tmp_path, streamed):
    ae = model().partial_fit(CHUNKS[0]) if streamed else model(epochs=2).fit(CHUNKS[0])
    ae.save(tmp_path / "model")
    as_schema_2(tmp_path / "model")
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(X), ae.transform(X))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        loaded.partial_fit(CHUNKS[1]).partial_fit(CHUNKS[2])
    assert [str(one.message)[:43] for one in told] == ["this model was saved without the memory of "] * streamed
    torch.testing.assert_close(loaded.scaling_.shift, torch.from_numpy(np.concatenate(CHUNKS[:3]).mean(0)))


def test_tables_of_schema_2(tmp_path):
    ae = model().partial_fit(FRAME[:100])
    ae.save(tmp_path / "model")
    as_schema_2(tmp_path / "model")
    with pytest.warns(UserWarning, match="saved without the memory"):
        loaded = load(tmp_path / "model").partial_fit(FRAME[100:200])
    assert np.isfinite(loaded.score_samples(FRAME)).all()


def test_a_clone_begins_anew():
    ae = model().partial_fit(CHUNKS[0])
    assert_same(clone(ae).partial_fit(CHUNKS[1]), model().partial_fit(CHUNKS[1]), X)


def test_an_optimiser_whose_memory_is_no_number_says_so(tmp_path):
    class Remembering(torch.optim.SGD):
        def step(self, closure=None):
            for parameter in self.param_groups[0]["params"]:
                self.state[parameter]["closure"] = as_schema_2
            return super().step(closure)

    @register("optimizer", name="remembering")
    @dataclass
    class RememberingPart(Part):
        def build(self, parameters, learning_rate):
            return Remembering(parameters, lr=learning_rate)

    ae = model(optimizer=RememberingPart()).partial_fit(CHUNKS[0])
    with pytest.raises(TypeError, match=r"optimiser's memory cannot be saved: .*save\(path, resume=False\)"):
        ae.save(tmp_path / "model")
    ae.save(tmp_path / "model", resume=False)


def test_resume_is_a_flag(tmp_path):
    with pytest.raises(ValueError, match="resume must be True or False; got 1"):
        model().partial_fit(CHUNKS[0]).save(tmp_path / "model", resume=1)
