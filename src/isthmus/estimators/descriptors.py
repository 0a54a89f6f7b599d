"""Attributes that a fitted estimator reads from its model, and methods that only some models have."""

from collections.abc import Callable
from types import MethodType
from typing import Generic, Protocol, TypeVar, overload

from isthmus.estimators.fitted_model import FittedModel

Value = TypeVar("Value")
Method = TypeVar("Method", bound=Callable[..., object])


class HasModel(Protocol):
    """An estimator that has a `FittedModel` once it is fitted."""

    def fitted_model(self) -> FittedModel | None:
        """Return the model; None before `fit`."""


class FromModel(Generic[Value]):
    """An attribute that exists once the estimator is fitted, and is read from its model.

    Parameters
    ----------
    read
        Maps the model to the value; None stands for an attribute that this model does not have.
    """

    def __init__(self, read: Callable[[FittedModel], Value | None]) -> None:
        self.read = read

    def __set_name__(self, estimator_class: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, estimator: None, estimator_class: type) -> "FromModel[Value]": ...

    @overload
    def __get__(self, estimator: HasModel, estimator_class: type) -> Value: ...

    def __get__(self, estimator: HasModel | None, estimator_class: type) -> "Value | FromModel[Value]":
        if estimator is None:
            return self
        model = estimator.fitted_model()
        value = None if model is None else self.read(model)
        if value is None:
            why = "is not fitted" if model is None else "has none for this table"
            raise AttributeError(f"no attribute {self.name!r}: the {estimator_class.__name__} {why}")
        return value


class Available(Generic[Method]):
    """A method that exists where the fitted model meets a condition; `hasattr` says so, and the error what it takes."""

    def __init__(self, function: Method, condition: Callable[[FittedModel], bool], needed: str) -> None:
        self.function, self.condition, self.needed = function, condition, needed
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __set_name__(self, estimator_class: type, name: str) -> None:
        self.name = name

    def __get__(self, estimator: HasModel | None, estimator_class: type) -> Callable[..., object]:
        if estimator is None:
            return self.function
        model = estimator.fitted_model()
        if model is not None and not self.condition(model):
            raise AttributeError(f"`{self.name}` needs {self.needed}")
        return MethodType(self.function, estimator)


def available(condition: Callable[[FittedModel], bool], needed: str) -> Callable[[Method], Method]:
    """Return a decorator that makes a method exist where the fitted model meets the condition.

    Parameters
    ----------
    condition
        Of the fitted model; before `fit` the method exists.
    needed
        What it takes, for the error: "a prior: ...".
    """

    def decorated(function: Method) -> Method:
        return Available(function, condition, needed)  # type: ignore[return-value]

    return decorated
