"""Self-contained HTML pages: a template is filled in, and pictures are embedded."""

from base64 import b64encode
from importlib.resources.abc import Traversable

from isthmus import __version__
from isthmus.core.extras import MissingExtraError


def page(folder: Traversable, name: str, **content: object) -> str:
    """Return the HTML page that a jinja2 template and its content make.

    Parameters
    ----------
    folder
        The folder of the template, and of the templates that it includes.
    name
        The template's file name. It can use ``address(png)``, the address that embeds a PNG file given as bytes;
        ``version``, isthmus's; and everything in `content`. A name that is not defined is an error.
    **content
        The values that the template uses, by name.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("the report", "jinja2", extra="report") from None
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda file: (folder / file).read_text(encoding="utf-8")),
    )
    return environment.get_template(name).render(address=address, version=__version__, **content)


def address(png: bytes) -> str:
    """Return the address that embeds a PNG file in a page."""
    return f"data:image/png;base64,{b64encode(png).decode()}"
