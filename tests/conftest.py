"""What must be set before torch and scipy are imported, and how garbage is collected."""

import gc
import os

import pytest

# scikit-learn skips its array-API check without it, and nothing shall be skipped.
os.environ["SCIPY_ARRAY_API"] = "1"
# A worker a core, a thread a worker: more would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collect tests without looking for garbage, of which there is none, and never walk them again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture
def three_threads():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)
