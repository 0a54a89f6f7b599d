"""Pages: self-contained HTML from a template, pictures inside."""

from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from isthmus import __version__
from isthmus.core.extras import MissingExtraError


def page(template: str, *, pictures: Mapping[str, bytes], **content: Any) -> str:
    """Fill a template of this package; in it ``picture(name)`` is the PNG of that name as an address of its own."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError("the report", "jinja2", extra="report") from None
    addresses = {name: f"data:image/png;base64,{b64encode(picture).decode()}" for name, picture in pictures.items()}
    source = (files("isthmus.reports") / "templates" / template).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(
        picture=addresses.__getitem__, pictures=pictures, version=__version__, **content
    )
