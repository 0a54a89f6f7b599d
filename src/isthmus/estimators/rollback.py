"""Fitting that happens whole or not at all."""

import functools
from collections.abc import Callable
from typing import Any


def rollback_on_error(method: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the estimator as it was if fitting it fails: unfitted, or with the model it had."""

    @functools.wraps(method)
    def guarded(self: Any, *arguments: Any, **named: Any) -> Any:
        before = dict(vars(self))
        try:
            return method(self, *arguments, **named)
        except BaseException:
            self.__dict__ = before
            raise

    return guarded
