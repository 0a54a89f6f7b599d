"""isthmus: autoencoders for Python.

>>> import isthmus
>>> isthmus.AutoEncoder(latent=2)
AutoEncoder(latent=2)
"""

import ast
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from isthmus.core.interrupts import uninterrupted

__version__ = version("isthmus")


def homes() -> dict[str, list[str]]:
    """Return the public names by the module that defines them, as the stub beside this file lists them."""
    found: dict[str, list[str]] = {}
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found.setdefault(node.module, []).extend(alias.name for alias in node.names)
    return found


HOMES = homes()
"""Where each public name lives; it is imported when first asked for, because torch alone costs seconds."""
MODULES = HOMES.pop("isthmus")
"""Public modules."""

__all__ = sorted(name for names in HOMES.values() for name in names)


def __getattr__(name: str) -> object:
    home = next((home for home, names in HOMES.items() if name in names), "")
    if home or name in MODULES:
        # Ctrl-C waits: a torch that is imported by half cannot be imported again.
        with uninterrupted():
            return getattr(import_module(home), name) if home else import_module(f"isthmus.{name}")
    raise AttributeError(f"module 'isthmus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
