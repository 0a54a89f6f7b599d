"""Floor 1: the parts of an autoencoder, small dataclasses of hyper-parameters that build modules.

Importing the package imports every module in its folder, so that a new file registers its parts by itself.
"""

from importlib import import_module
from pkgutil import iter_modules

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
