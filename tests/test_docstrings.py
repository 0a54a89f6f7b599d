import doctest
import pkgutil
from importlib import import_module

import pytest

import isthmus

MODULES = [
    "isthmus",
    *(
        module.name
        for module in pkgutil.walk_packages(isthmus.__path__, "isthmus.")
        if module.name != "isthmus.__main__"
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(import_module(name))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples in {name} failed, see above"
