"""The error for a package that only an extra installs; it names the command."""


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
