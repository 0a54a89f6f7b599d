"""Packages that only an extra installs, and the error for a missing one; it names the command."""

from importlib import import_module
from types import ModuleType


class MissingExtraError(ImportError):
    """A package that only an extra installs is missing; the message names the command.

    >>> str(MissingExtraError("the report", "jinja2", extra="report"))
    "the report needs jinja2: pip install 'isthmus[report]'"
    """

    def __init__(self, purpose: str, package: str, extra: str):
        super().__init__(f"{purpose} needs {package}: pip install 'isthmus[{extra}]'", name=package)
        self.given = purpose, package, extra

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        # Errors are pickled between processes; by default the constructor would get only the message.
        return type(self), self.given


def extra_module(module: str, purpose: str, package: str, extra: str) -> ModuleType:
    """Return a module of a package that an extra installs.

    Parameters
    ----------
    module
        Its name, such as "yaml".
    purpose
        What needs it, for the message.
    package, extra
        Its name in the package index, and that of the extra.

    Raises
    ------
    MissingExtraError
        If the package is missing.

    Examples
    --------
    >>> extra_module("json", "this example", "json", extra="none").loads("[1]")
    [1]
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in (module.partition(".")[0], package):
            raise
        raise MissingExtraError(purpose, package, extra) from None
