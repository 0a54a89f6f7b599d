"""The objectives of searches, one file each; importing the package imports every file, so that each registers itself.

Where several suit a model, "auto" means the first by the names of the files.
"""

from importlib import import_module
from pkgutil import iter_modules

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
