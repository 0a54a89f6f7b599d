"""Optuna, imported when it is needed; its messages and warnings stay away from the user's terminal."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType


def optuna_package() -> "ModuleType":
    """Return the package.

    Raises
    ------
    MissingExtraError
        If it is not installed; the message names the command that installs it.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("tune", "optuna", extra="tune") from None
    return optuna


@contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna tell nothing below an error meanwhile, and warn of nothing that is experimental."""
    optuna = optuna_package()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
