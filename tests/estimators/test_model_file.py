import errno
import json
import os
import pickle
import subprocess
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.datasets import load_iris

import isthmus
from isthmus import (
    L1,
    Adam,
    AutoEncoder,
    Bernoulli,
    Callback,
    Compute,
    Dense,
    Deterministic,
    Gaussian,
    GaussianNoise,
    ModelFileError,
    Part,
    Tied,
    load,
)
from isthmus.core import files, tensor_file
from isthmus.estimators.plain import plain

IRIS = load_iris().data
METHODS = ["transform", "reconstruct", "score_samples", "reconstruction_error"]


def model(**settings):
    layers = {} if "encoder" in settings else {"hidden": (8,)}
    return AutoEncoder(**{"latent": 2, "epochs": 2, "random_state": 0} | layers | settings)


@pytest.fixture(scope="module")
def fitted():
    return model().fit(IRIS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.isthmus"


@pytest.fixture
def saved(fitted, path):
    fitted.save(path)
    return path


def assert_same(loaded, original, X=IRIS):
    for method in METHODS:
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(original, method)(X))
    Z = original.transform(X)
    np.testing.assert_array_equal(loaded.inverse_transform(Z), original.inverse_transform(Z))


def contents(path):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["isthmus"]), tensors


def rewritten(path, change):
    """Write the file again after `change(header, tensors)`."""
    header, tensors = contents(path)
    change(header, tensors)
    tensor_file.write(path, {"isthmus": json.dumps(header)}, tensors)


# -- what comes back --------------------------------------------------------------------------------------------------

MODELS = {
    "plain": {},
    "float32": {"compute": Compute(precision="float32")},
    "linear and tied": {"encoder": "linear", "decoder": Tied()},
    "deep": {"encoder": Dense((8, 6), "relu", norm="batch", dropout=0.1), "optimizer": Adam(epsilon=1e-4)},
    "bernoulli": {"likelihood": Bernoulli(), "scale": "minmax", "code": Deterministic("sigmoid")},
    "learned variance": {"likelihood": Gaussian("learned", floor=1e-3)},
    "fixed variance": {"likelihood": Gaussian(0.1), "scale": "global"},
    "sparse and denoising": {"penalty": [L1(0.5), L1(0.25)], "corruption": GaussianNoise(0.1)},
    "share": {"latent": 0.8},
    "not scaled": {"scale": None, "hidden": []},
}


@pytest.mark.parametrize("name", MODELS)
def test_results_are_the_same_bits(name, path):
    original = model(**MODELS[name]).fit(IRIS)
    original.save(path)
    loaded = load(path)
    assert_same(loaded, original)
    assert loaded.latent_ == original.latent_
    assert loaded.likelihood_ == original.likelihood_
    assert loaded.n_iter_ == original.n_iter_
    assert loaded.n_features_in_ == 4
    assert repr(loaded.history_) == repr(original.history_)
    assert loaded.history_.columns == original.history_.columns


@pytest.mark.parametrize("name", MODELS)
def test_parameters_come_back(name, path):
    original = model(**MODELS[name]).fit(IRIS)
    original.save(path)

    def settled(value):
        return tuple(value) if isinstance(value, list) else value

    loaded = load(path).get_params(deep=False)
    assert loaded == {key: settled(value) for key, value in original.get_params(deep=False).items()}


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64"])
def test_number_types(dtype, path):
    X = np.round(IRIS * 10).astype(dtype)
    original = model().fit(X)
    original.save(path)
    assert_same(load(path), original, X)
    assert load(path).transform(X).dtype == original.transform(X).dtype


def test_the_copy_and_the_original_go_on_alike(fitted, path):
    original = model(corruption="gaussian_noise").fit(IRIS)
    original.save(path)
    loaded = load(path)
    for _ in range(2):
        original.partial_fit(IRIS), loaded.partial_fit(IRIS)
        assert_same(loaded, original)
    assert loaded.n_iter_ == original.n_iter_ == 4
    assert_same(loaded.fit(IRIS), original.fit(IRIS))


def test_a_second_save_is_the_same_file(saved, path):
    before = path.read_bytes()
    load(path).save(path)
    first, second = contents(path)
    path.write_bytes(before)
    header, tensors = contents(path)
    assert first == header
    assert second.keys() == tensors.keys()
    assert all(torch.equal(second[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("kind", [np.random.RandomState, np.random.default_rng])
def test_random_state_that_is_no_number_is_not_saved(path, kind):
    model(random_state=kind(0)).fit(IRIS).save(path)
    assert load(path).random_state is None


def test_what_belongs_to_a_run_is_not_saved(path, capsys):
    model(callbacks=[Callback()], verbose=1).fit(IRIS).save(path)
    loaded = load(path)
    assert (loaded.callbacks, loaded.verbose) == ((), 0)


def test_numpys_numbers_become_numbers(path):
    settings = {"latent": np.int64(2), "hidden": np.array([8]), "penalty": L1(np.float64(0.5)), "epochs": np.int32(2)}
    model(**settings).fit(IRIS).save(path)
    loaded = load(path)
    assert (loaded.latent, loaded.hidden, loaded.penalty, loaded.epochs) == (2, (8,), L1(0.5), 2)
    assert [type(value) for value in (loaded.latent, *loaded.hidden, loaded.penalty.weight)] == [int, int, float]


def test_names_of_columns(path):
    pandas = pytest.importorskip("pandas")
    names = ["a", "b", "Größe", "d e"]
    frame = pandas.DataFrame(IRIS, columns=names)
    original = model().fit(frame)
    original.save(path)
    loaded = load(path)
    assert loaded.feature_names_in_.tolist() == names
    assert_same(loaded, original, frame)
    np.testing.assert_array_equal(loaded.transform(frame[names[::-1]]), original.transform(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.transform(frame.rename(columns={"a": "x"}))


def test_without_names(saved):
    assert not hasattr(load(saved), "feature_names_in_")


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_device(saved, fitted, device):
    loaded = load(saved, compute=device)
    assert loaded.compute == device
    np.testing.assert_array_equal(loaded.inverse_transform(np.eye(2)), fitted.inverse_transform(np.eye(2)))
    assert_same(loaded, fitted)


def test_device_that_is_not_there(saved):
    with pytest.raises(ValueError, match="unknown device 'gpu'"):
        load(saved, compute="gpu")
    with pytest.raises(ValueError, match="device='meta' is not available on this machine"):
        load(saved, compute="meta")


def test_a_device_that_this_machine_has_not_does_not_matter(saved):
    rewritten(saved, lambda header, tensors: header["parameters"].update(compute="cuda:7"))
    assert load(saved).compute == "auto"


def test_after_divergence(path):
    ae = model(scale="none", init="torch", compute=Compute(precision="float32"), validation=0.2)
    with pytest.warns(UserWarning, match="not finite"):
        ae.fit(IRIS * 1e19)
    ae.history_.append({"epoch": 1, "loss": float("inf")})
    ae.save(path)
    assert load(path).history_.stopped == "the loss was not finite in epoch 0"


def test_paths_may_be_text(fitted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted.save("model")
    fitted.save(str(tmp_path / "Modell, groß.isthmus"))
    assert sorted(os.listdir()) == ["Modell, groß.isthmus", "model"]
    assert_same(load("model"), fitted)
    assert_same(load("Modell, groß.isthmus"), fitted)


def test_permissions_are_a_new_files(saved, tmp_path):
    (tmp_path / "other").touch()
    assert saved.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_new_process(saved, fitted):
    code = f"from isthmus import load; import numpy as np; print(load({str(saved)!r}).score(np.eye(4)).hex())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert float.fromhex(ran.stdout) == fitted.score(np.eye(4))


# -- nothing in a file is run -----------------------------------------------------------------------------------------


def test_no_pickle(fitted, path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("pickle was used")

    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(torch, "save", refuse)
    fitted.save(path)
    assert_same(load(path), fitted)


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


def test_a_pickle_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(pickle.dumps(Trap()))
    torch.save({"trap": Trap()}, tmp_path / "torch")
    for name in ("model", "torch"):
        with pytest.raises(ModelFileError, match="is not a whole model file of isthmus"):
            load(tmp_path / name)
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("name", ["load", "Part", "engine", "HOMES", "__version__", "import_module", "nothing"])
def test_only_estimators_are_made(saved, name):
    rewritten(saved, lambda header, tensors: header.update(estimator=name))
    with pytest.raises(ModelFileError, match="is damaged"):
        load(saved)


# -- files that cannot be ---------------------------------------------------------------------------------------------

NOT_WHOLE = r"^.*model\.isthmus is not a whole model file of isthmus: truncated, or of another kind; copy it again from"


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, 1000, 0.5, 0.9, -8, -1])
def test_truncated(saved, length):
    whole = saved.read_bytes()
    end = int(length * len(whole)) if isinstance(length, float) else length
    saved.write_bytes(whole[:end])
    with pytest.raises(ModelFileError, match=NOT_WHOLE):
        load(saved)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"{}", b"\0" * 100, b"text\n" * 100])
def test_foreign_file(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=NOT_WHOLE):
        load(path)


def test_something_after_the_end(saved):
    saved.write_bytes(saved.read_bytes() + b"more")
    with pytest.raises(ModelFileError, match=NOT_WHOLE):
        load(saved)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_foreign_safetensors(path, metadata):
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(ModelFileError, match=r"is a safetensors file, but not one that isthmus wrote; give a file"):
        load(path)


def test_newer_schema(saved):
    rewritten(saved, lambda header, tensors: header.update(schema=99, isthmus="7.1"))
    expected = r"was written by isthmus 7\.1, whose files \(schema 99\) this one \(.*, schema 4\) does not know; update"
    with pytest.raises(ModelFileError, match=expected):
        load(saved)


@pytest.mark.parametrize("text", ["", "{", "no", "[1, 2]", "3", "null", '"schema"', "{}", '{"schema": "one"}'])
def test_damaged_header(saved, text):
    _, tensors = contents(saved)
    tensor_file.write(saved, {"isthmus": text}, tensors)
    with pytest.raises(ModelFileError, match=r"model\.isthmus is damaged: its header (is no JSON|does not say which)"):
        load(saved)


def remove(*keys):
    def change(header, tensors):
        for key in keys[:-1]:
            header = header[key]
        del header[keys[-1]]

    return change


def put(value, *keys):
    def change(header, tensors):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


def without(tensor):
    return lambda header, tensors: tensors.pop(tensor)


CHANGES = {
    "no estimator": remove("estimator"),
    "no parameters": remove("parameters"),
    "no fitted": remove("fitted"),
    "no latent": remove("fitted", "composition", "latent"),
    "no history": remove("fitted", "history"),
    "parameters of another kind": put(3, "parameters"),
    "unknown parameter": put(3, "parameters", "laent"),
    "unknown activation": put("rleu", "fitted", "composition", "encoder", "parameters", "activation"),
    "unknown code": put("variational", "fitted", "composition", "code"),
    "no part": put({"parameters": {}}, "parameters", "code"),
    "unknown parameter of a part": put({"part": "L1", "parameters": {"lambda": 1}}, "parameters", "penalty"),
    "other latent": put(3, "fitted", "composition", "latent"),
    "no latent size": put("two", "fitted", "composition", "latent"),
    "other number of columns": put(5, "fitted", "table", "n_features"),
    "other likelihood": put({"part": "L1", "parameters": {}}, "fitted", "composition", "likelihood"),
    "unknown number type": put("float17", "fitted", "dtype"),
    "history of unequal columns": put([1.0], "fitted", "history", "columns", "loss"),
    "history of another kind": put(3, "fitted", "history"),
    "no generator": without("generator"),
    "no scaling": without("scaling.scale"),
    "no weight": without("network.encoder.linears.0.weight"),
    "weight too many": lambda header, tensors: tensors.update({"network.more": torch.zeros(1)}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_header_and_tensors_that_do_not_fit(saved, change):
    rewritten(saved, CHANGES[change])
    with pytest.raises(
        ModelFileError, match=r"model\.isthmus is damaged: its header and its tensors do not fit \("
    ) as e:
        load(saved)
    assert "\n" not in str(e.value)


def test_unknown_part_is_named(saved):
    rewritten(saved, put({"part": "Determinstic", "parameters": {}}, "parameters", "code"))
    with pytest.raises(ModelFileError, match=r"not known: Determinstic; .*did you mean 'Deterministic'"):
        load(saved)


def test_a_file_of_an_older_version_is_refused_in_words(saved):
    rewritten(saved, lambda header, tensors: header.update(schema=1, isthmus="0.1.0"))
    with pytest.raises(ModelFileError, match=r"written by isthmus 0\.1\.0 in an older format .*fit the model again"):
        load(saved)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no model file .*nothing"):
        load(tmp_path / "nothing")


@pytest.mark.skipif(os.name != "posix", reason="POSIX files")
def test_what_is_no_file_is_refused_at_once_and_named(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    for name, words in (
        ("", "is a folder; give the path of a model file"),
        ("loop", "cannot be read .*symbolic links"),
        ("pipe", "is damaged: it is no file that holds data"),
        ("empty", "is not a whole model file"),
    ):
        with pytest.raises(ModelFileError, match=f"{tmp_path / name}.*{words}"):
            load(tmp_path / name)


def test_a_file_that_may_not_be_read(saved, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(saved))

    monkeypatch.setattr(tensor_file, "without_waiting", refuse)
    with pytest.raises(ModelFileError, match=r"model\.isthmus may not be read by this user; ask its owner"):
        load(saved)


def test_error_is_a_value_error():
    assert issubclass(ModelFileError, ValueError)


# -- saving goes wrong ------------------------------------------------------------------------------------------------


def test_a_folder_is_no_file(fitted, tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder; give the name of a file, such as .*model\.isthmus"):
        fitted.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing for the model file does not exist; create it"):
        fitted.save(tmp_path / "missing" / "model")
    assert list(tmp_path.iterdir()) == []


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("old", [None, b"the old model"])
@pytest.mark.parametrize("place", [(tensor_file, "bytes_of"), (files.os, "fsync")], ids=["write", "flush"])
def test_disk_full(fitted, path, monkeypatch, place, old):
    if old is not None:
        path.write_bytes(old)
    with monkeypatch.context() as patch:
        patch.setattr(*place, full)
        with pytest.raises(OSError, match="No space left on device"):
            fitted.save(path)
    left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert left == ({} if old is None else {path.name: old})
    fitted.save(path)
    assert_same(load(path), fitted)


def test_interrupted_while_writing(saved, fitted, monkeypatch):
    before = saved.read_bytes()

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fitted.save(saved)
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]
    assert saved.read_bytes() == before


@pytest.mark.slow
def test_a_disk_that_takes_no_more(saved, fitted):
    """The operating system's own refusal: no file of this process may be longer than a thousand bytes."""
    pytest.importorskip("resource")
    before = saved.read_bytes()
    code = (
        "import resource, sys; from isthmus import load; ae = load(sys.argv[1]); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try: ae.save(sys.argv[1])\n"
        "except OSError as error: print('could not', error)"
    )
    assert len(before) > 1000
    ran = subprocess.run([sys.executable, "-c", code, saved], capture_output=True, text=True, timeout=120, check=False)
    assert "could not" in ran.stdout, ran.stderr
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]
    assert saved.read_bytes() == before


@dataclass
class Mine(Deterministic):
    strength: float = 1.0


@dataclass
class Other(Part):
    weight: float = 1.0


def test_parts_of_the_user_are_given_when_the_file_is_loaded(path):
    original = model(code=Mine(strength=2.0)).fit(IRIS)
    original.save(path)
    assert contents(path)[0]["parts"].count("Mine") == 1
    with pytest.raises(
        ModelFileError, match=r"needs parts that are not known: Mine; give .*load\(path, parts=\[Mine\]"
    ):
        load(path)
    loaded = load(path, parts=[Mine])
    assert loaded.code == Mine(strength=2.0)
    assert_same(loaded, original)


@dataclass
class Holding(Deterministic):
    function: object = print


def test_a_part_that_carries_state_is_refused(path):
    original = model(code=Holding()).fit(IRIS)
    with pytest.raises(TypeError, match="the part Holding carries state that cannot be saved"):
        original.save(path)
    assert list(path.parent.iterdir()) == []


# -- what is in the file ----------------------------------------------------------------------------------------------


def test_header(saved, fitted):
    header, tensors = contents(saved)
    assert (header["schema"], header["isthmus"], header["estimator"]) == (4, isthmus.__version__, "AutoEncoder")
    assert header["parameters"]["hidden"] == [8]
    assert header["fitted"]["composition"]["likelihood"] == plain(fitted.likelihood_)
    assert {name.split(".")[0] for name in tensors} == {"network", "scaling", "stream", "generator", "marginal"}


def test_nothing_is_warned_of(fitted, path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.save(path)
        load(path)


def test_saving_changes_nothing(path):
    original = model().fit(IRIS)
    before = pickle.dumps(original)
    original.save(path)
    assert pickle.dumps(original) == before


def test_hand_over_from_an_older_run(path):
    """A model trained, saved, loaded and saved again is still the one that was trained."""
    original = model().fit(IRIS)
    original.save(path)
    for _ in range(3):
        load(path).save(path)
    assert_same(load(path), original)
