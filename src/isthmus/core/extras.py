"""Packages that only an extra brings, and the sentence that names the command which installs them."""


class MissingExtraError(ImportError):
    """A package that only an extra brings is not installed; the message names the command that installs it.

    >>> str(MissingExtraError("the report", "jinja2", extra="report"))
    "the report needs jinja2: pip install 'isthmus[report]'"
    """

    def __init__(self, purpose: str, package: str, extra: str):
        super().__init__(f"{purpose} needs {package}: pip install 'isthmus[{extra}]'", name=package)
