"""Data sets by name, in place of a file: `mnist`, `iris`, `mnist::test`."""

from dataclasses import replace

import numpy as np

from isthmus.data.files.array_roles import with_roles
from isthmus.data.files.places import Place, chosen_part
from isthmus.data.files.registry import Found, Wishes
from isthmus.data.named import NAMES, load_dataset

HALVES = ("train", "test")


def is_named(place: Place) -> bool:
    """Whether a place is the name of a data set."""
    return str(place.path) in NAMES


def read_named(place: Place, wishes: Wishes) -> Found:
    """Load a data set; its classes are the target, whether or not the user asks for one."""
    half = chosen_part(place, "part", HALVES) if place.part else "train"
    dataset = load_dataset(str(place.path))
    rows, classes = (dataset.X, dataset.y) if half == "train" else (dataset.X_test, dataset.y_test)
    if dataset.image_shape is not None:
        rows = rows.reshape(len(rows), *dataset.image_shape)
    without_target = replace(wishes, roles=replace(wishes.roles, target=None))
    found = with_roles(rows, dataset.feature_names, place, without_target)
    found.collected.target = np.array(dataset.target_names)[classes]
    which = "its training rows" if half == "train" else "its test rows"
    found.found.append(f"the data set {dataset.name}, {which}, from {dataset.source}; the target is their class")
    return found
