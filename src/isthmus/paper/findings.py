"""What the library's checks after a fit say of the networks here: findings on the page, not warnings on the screen."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from isthmus.engine import TrainingWarning
from isthmus.estimators import AutoEncoder
from isthmus.paper.images import Images

WIDE_CODE = "is not smaller than"
"""Part of the warning about codes as wide as the data, which overcomplete networks are meant to have."""


class Finding(NamedTuple):
    """What a check said of a network."""

    network: str
    text: str


@contextmanager
def kept_warnings() -> Iterator[list[str]]:
    """Keep the texts of the warnings about training and about wide codes; show other warnings as usual."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TrainingWarning)
        warnings.filterwarnings("always", f".*{WIDE_CODE}", UserWarning)
        yield texts
    for one in caught:
        if issubclass(one.category, TrainingWarning) or WIDE_CODE in str(one.message):
            texts.append(f"{str(one.message).removesuffix('.')}.")
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def fit_models(models: Mapping[str, AutoEncoder], images: Images) -> tuple[dict[str, AutoEncoder], list[Finding]]:
    """Fit models on the training images; return them, and what the checks said."""
    fitted, found = {}, []
    for name, model in models.items():
        with kept_warnings() as texts:
            fitted[name] = model.fit(images.train)
        refuse_interrupted(model)
        found += [Finding(name, text) for text in texts]
    return fitted, found


def refuse_interrupted(model: AutoEncoder) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended the fit of one network: it is meant to end the reproduction."""
    if model.history_.interrupted:
        raise KeyboardInterrupt
