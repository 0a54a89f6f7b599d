"""The sections of a report, found by registration: one function each.

Those of isthmus are the files of `reports/sections/`. Other packages name a module of theirs, in which sections are
registered, by an entry point in the group "isthmus.report_sections".
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import NamedTuple

from isthmus.reports import sections as own
from isthmus.reports.context import Context

ENTRY_POINTS = "isthmus.report_sections"
"""The group of entry points by which other packages add sections."""


class Tile(NamedTuple):
    """A number that matters, shown at the top of the report."""

    number: str
    """Such as "25 %"."""
    meaning: str
    """What it is, in a few words."""


@dataclass(frozen=True)
class Content:
    """What a section shows.

    Parameters
    ----------
    html
        Its HTML, below the heading; escaped by whoever makes it.
    tiles
        What it adds to the summary at the top.
    """

    html: str
    tiles: tuple[Tile, ...] = ()


Build = Callable[[Context], Content | None]
"""Makes a section; None if the model or the data cannot have it."""


@dataclass(frozen=True)
class Section:
    """A registered section."""

    name: str
    order: float
    title: str
    build: Build


SECTIONS: dict[str, Section] = {}
"""Every registered section, by its name."""


def section(name: str, *, order: float, title: str) -> Callable[[Build], Build]:
    """Return a decorator that registers a section of the report.

    Parameters
    ----------
    name : str
        Its name: letters, digits and hyphens; the page's address of it.
    order : float
        Sections come in ascending order: those of isthmus have 10 to 90.
    title : str
        Its heading.

    Returns
    -------
    callable
        The decorator; it returns the function unchanged.

    Raises
    ------
    ValueError
        If another function has registered a section of that name.

    Examples
    --------
    >>> @section("greeting", order=95, title="A greeting")
    ... def greeting(context):
    ...     return Content("<p>hello</p>")
    >>> SECTIONS.pop("greeting").title
    'A greeting'
    """

    def registered(build: Build) -> Build:
        known = SECTIONS.get(name)
        if known is not None and (known.build.__module__, known.build.__qualname__) != (
            build.__module__,
            build.__qualname__,
        ):
            raise ValueError(
                f"there is a section called {name!r} already, in {known.build.__module__}; give the one in "
                f"{build.__module__} another name"
            )
        SECTIONS[name] = Section(name, order, title, build)
        return build

    return registered


def sections() -> list[Section]:
    """Return all sections in their order: those of isthmus, and those of other packages."""
    for module in iter_modules(own.__path__):
        import_module(f"{own.__name__}.{module.name}")
    for entry in entry_points(group=ENTRY_POINTS):
        entry.load()
    return sorted(SECTIONS.values(), key=lambda found: found.order)
