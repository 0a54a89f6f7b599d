"""Packages that only an extra brings, and the sentence that names the command which installs them."""


class MissingExtraError(ImportError):
    """A package that only an extra brings is not installed; the message names the command that installs it.

    >>> str(MissingExtraError("the report", "jinja2", extra="report"))
    "the report needs jinja2: pip install 'isthmus[report]'"
    """

    def __init__(self, purpose: str, package: str, extra: str):
        super().__init__(f"{purpose} needs {package}: pip install 'isthmus[{extra}]'", name=package)
        self.given = purpose, package, extra

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        # Errors travel between processes; by default only the message would be given to the constructor.
        return type(self), self.given
