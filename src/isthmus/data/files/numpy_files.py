"""numpy's files: an array (.npy), one of several (.npz), or a sparse matrix that scipy wrote."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data.files.array_roles import with_roles
from isthmus.data.files.compression import broken
from isthmus.data.files.places import Place, chosen_part, listed
from isthmus.data.files.registry import Found, Wishes, reads, writes

SPARSE = {"format", "shape", "data"}
"""Arrays that the .npz file of a sparse matrix has."""
USUAL = ("X", "x", "data", "features")
"""Names of the array of rows, where there are several."""


def refuse_objects(array: np.ndarray, shown: str) -> None:
    """Raise a `ValueError` for arrays whose values are no numbers, texts or times."""
    if array.dtype.kind not in "biufUSMm" or array.ndim == 0:
        what = "a single value" if array.ndim == 0 else f"values of type {array.dtype}"
        raise ValueError(f"{shown} holds {what}, and no table of numbers or text; write it with numpy.save(rows)")


@reads("npy", (".npy",), "an array of numpy")
def read_npy(place: Place, wishes: Wishes) -> Found:
    """Map an array into memory; rows are read when they are needed."""
    try:
        rows = np.load(place.path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise ValueError(damaged(place.shown, error)) from error
    refuse_objects(rows, place.shown)
    return described(with_roles(rows, None, place, wishes), f"an array of {rows.dtype}")


def described(found: Found, sentence: str) -> Found:
    """Add what was found."""
    found.found.append(sentence)
    return found


def damaged(shown: str, error: Exception) -> str:
    """Return the message for a file that numpy cannot read."""
    if "pickle" in str(error) or "Python objects" in str(error):
        return (
            f"{shown} holds Python objects, and reading these could run code; write numbers or text, with "
            "numpy.save(rows.astype(float))"
        )
    return broken(shown, error)


@reads("npz", (".npz",), "one of several arrays of numpy, or a sparse matrix of scipy")
def read_npz(place: Place, wishes: Wishes) -> Found:
    """Read the array that was named, the only one, or the one called X; or a sparse matrix."""
    try:
        with np.load(place.path, allow_pickle=False) as arrays:
            if set(arrays.files) >= SPARSE and not place.part:
                rows = scipy.sparse.csr_array(scipy.sparse.load_npz(place.path))
                return described(with_roles(rows, None, place, wishes), f"a sparse matrix of {rows.dtype}")
            return one_of(arrays, place, wishes)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise ValueError(broken(place.shown, error)) from error


def one_of(arrays: Any, place: Place, wishes: Wishes) -> Found:
    """Read one array of several; a target may be another of them."""
    name, why = name_of_rows(arrays, place)
    try:
        rows = arrays[name]
    except ValueError as error:
        raise ValueError(damaged(place.shown, error)) from error
    refuse_objects(rows, f"the array {name!r} of {place.shown}")
    target, roles = None, wishes.roles
    if roles.target is not None and roles.target in arrays.files:
        target = arrays[roles.target].reshape(-1)
        if len(target) != len(rows):
            raise ValueError(
                f"the array {roles.target!r} of {place.shown} holds {len(target):,} labels, and {name!r} holds "
                f"{len(rows):,} rows; name an array with a label for each row"
            )
        wishes = replace(wishes, roles=replace(roles, target=None))
    found = with_roles(rows, feature_names(arrays, rows), place, wishes)
    found.collected.target = found.collected.target if target is None else target
    return described(found, f"the array {name!r} of {rows.dtype}{why}")


def feature_names(arrays: Any, rows: np.ndarray) -> list[str] | None:
    """Return the names of the columns, if the file has an array of them."""
    if "feature_names" not in arrays.files or rows.ndim != 2:
        return None
    names = [str(name) for name in np.atleast_1d(arrays["feature_names"])]
    return names if len(names) == rows.shape[1] and len(set(names)) == len(names) else None


def name_of_rows(arrays: Any, place: Place) -> tuple[str, str]:
    """Return the name of the array that holds the rows, and what to tell of the choice."""
    names = list(arrays.files)
    if place.part:
        return chosen_part(place, "array", names), ""
    if len(names) == 1:
        return names[0], ""
    found = [name for name in USUAL if name in names]
    if found:
        others = ", ".join(name for name in names if name != found[0])
        return found[0], f", taken for the rows; there are also {others}"
    raise ValueError(
        f"{place.shown} holds {len(names)} arrays, and one must be named, as in {place.path}::"
        f"{names[0] if names else 'name'}; {listed('array', names)}"
    )


@writes("npy")
def write_npy(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of an array to one file."""
    np.save(file, joined(pieces, shown), allow_pickle=False)


@writes("npz")
def write_npz(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write an array, called X, or a sparse matrix as scipy writes it."""
    rows = joined(pieces, shown)
    if scipy.sparse.issparse(rows):
        rows = scipy.sparse.csr_array(rows)
        kind, shape = np.array(b"csr"), np.array(rows.shape)
        arrays = {"indices": rows.indices, "indptr": rows.indptr, "format": kind, "shape": shape, "data": rows.data}
    else:
        arrays = {"X": rows}
    # numpy's own function leaves the archive open if the disk is full.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def joined(pieces: Iterator[Any], shown: str) -> Any:
    """Return pieces, arrays or tables of Arrow's, as one array; sparse ones as one sparse matrix."""
    found = [as_array(piece, shown) for piece in pieces]
    if any(scipy.sparse.issparse(piece) for piece in found):
        return found[0] if len(found) == 1 else scipy.sparse.vstack(found, format="csr")
    return found[0] if len(found) == 1 else np.concatenate(found)


def as_array(piece: Any, shown: str) -> Any:
    """Return a piece as an array or a sparse matrix."""
    if isinstance(piece, np.ndarray) or scipy.sparse.issparse(piece):
        return piece
    columns = {name: column.to_numpy() for name, column in zip(piece.column_names, piece.columns, strict=True)}
    others = [name for name, column in columns.items() if column.dtype.kind not in "biuf"]
    if others:
        raise ValueError(
            f"{shown} can hold numbers only, and column {others[0]!r} holds others; write CSV, or leave it out"
        )
    return np.stack(list(columns.values()), axis=1)
