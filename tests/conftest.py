"""What must be set before torch and scipy are imported, and how garbage is collected."""

import gc
import os
from contextlib import contextmanager

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


@pytest.fixture(scope="session")
def trained_briefly():
    """A context in which the denoisers of detectors are trained for that many steps at most."""

    @contextmanager
    def context(steps):
        from isthmus.tasks.anomaly import denoiser

        with pytest.MonkeyPatch.context() as patch:
            for name in ("CLEAN_STEPS", "CONTAMINATED_STEPS", "LEAST_STEPS"):
                patch.setattr(denoiser, name, min(steps, getattr(denoiser, name)))
            yield

    return context


@pytest.fixture
def few_steps(trained_briefly, monkeypatch):
    """Networks of detectors are trained for a fraction of their steps, in tests that do not ask how well."""
    from isthmus.tasks.anomaly import autoencoders

    chosen = autoencoders.new_estimator

    def brief(training):
        return chosen(training).set_params(epochs=3) if training.estimator is None else chosen(training)

    monkeypatch.setattr(autoencoders, "new_estimator", brief)
    with trained_briefly(40):
        yield
