"""Groups of options: a parameter of a command that is a dataclass of options stands for all of its fields."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Any, cast, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes the options of each group by name, and builds the groups itself.

    A group is a dataclass whose fields are annotated as parameters of typer are. A group that is a context manager is
    entered before the command runs and left after it.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size:
    ...     width: int = 1
    ...     height: int = 2
    >>> def area(size: Size, times: int = 1) -> None:
    ...     print(size.width * size.height * times)
    >>> with_groups(area)(height=3)
    3
    >>> print(inspect.signature(with_groups(area)))
    (*, width: int = 1, height: int = 2, times: int = 1) -> None
    """
    hints = get_type_hints(command, include_extras=True)
    given = inspect.signature(command).parameters
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}
    if not groups:
        return command

    @wraps(command)
    def grouped(**options: object) -> None:
        for name, kind in groups.items():
            options[name] = kind(
                **{field.name: options.pop(field.name) for field in fields(kind) if field.name in options}
            )
        with ExitStack() as stack:
            for name in groups:
                if isinstance(options[name], AbstractContextManager):
                    stack.enter_context(cast(AbstractContextManager[Any], options[name]))
            command(**options)

    parameters = [
        parameter
        for name, own in given.items()
        for parameter in (options_of(groups[name]) if name in groups else [alone(own, hints)])
    ]
    grouped.__signature__ = Signature(parameters, return_annotation=None)  # type: ignore[attr-defined]
    grouped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del grouped.__wrapped__
    return grouped


def options_of(group: type) -> list[Parameter]:
    """Return the fields of a group as parameters."""
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
        if field.init
    ]


def alone(parameter: Parameter, hints: Mapping[str, object]) -> Parameter:
    """Return a parameter that belongs to no group, with its annotation resolved."""
    return parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints.get(parameter.name, parameter.annotation))
