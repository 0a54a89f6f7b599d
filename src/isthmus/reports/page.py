"""Self-contained HTML pages: a template is filled in, and pictures are embedded."""

from base64 import b64encode
from collections.abc import Mapping
from importlib.resources.abc import Traversable

from isthmus import __version__
from isthmus.core.extras import MissingExtraError


def page(template: Traversable, *, pictures: Mapping[str, bytes], **content: object) -> str:
    """Return the HTML page that a jinja2 template and its content make.

    Parameters
    ----------
    template
        The template file. It can use ``picture(name)``, which is the address of an embedded PNG; ``pictures``;
        ``version``, isthmus's; and everything in `content`. A name that is not defined is an error.
    pictures
        PNG files by name.
    **content
        The values that the template uses, by name.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError("the report", "jinja2", extra="report") from None
    addresses = {name: f"data:image/png;base64,{b64encode(picture).decode()}" for name, picture in pictures.items()}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        picture=addresses.__getitem__, pictures=pictures, version=__version__, **content
    )
