"""Ctrl-C at many moments of every kind of fit: a single model keeps its best, a composite one ends as a whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interrupted_fits.py")
MOMENTS = int(os.environ.get("ISTHMUS_MOMENTS", "0"))
"""How many moments of each kind of fit are tried, such as 20; 0: few of them, for a suite of some minutes."""
SINGLE = ("dense", "autograd", "frame", "stream", "partial_fit")
SLOW_SINGLE = ("adversarial", "convolutional", "without validation")
NESTED = ("cross-validated", "layerwise", "latent")
COMPOSITE = ("detector", "imputer", "cross-conformal")


def outcomes(kind, moments, when="later"):
    command = [sys.executable, str(SCRIPT), kind, str(moments), when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Exception ignored" not in done.stderr
    found = json.loads(done.stdout)
    assert len(found) == moments
    return set(found)


def test_a_single_model_keeps_its_best_and_a_composite_one_does_not():
    assert outcomes("dense", 6) <= {"raised", "kept", "fitted"}
    assert outcomes("detector", 4) <= {"raised", "fitted"}


def test_the_first_fit_of_a_process_leaves_torch_whole():
    assert outcomes("autograd", 3, "first") <= {"raised", "kept", "fitted"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SINGLE + SLOW_SINGLE + NESTED)
def test_single_models_at_many_moments(kind):
    assert outcomes(kind, MOMENTS or 8) <= {"raised", "kept", "fitted"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMPOSITE)
def test_composite_models_at_many_moments(kind):
    assert outcomes(kind, MOMENTS or 5) <= {"raised", "fitted"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dense", "autograd", "convolutional", "imputer"])
def test_first_fits_at_many_moments(kind):
    assert outcomes(kind, MOMENTS or 4, "first") <= {"raised", "kept", "fitted"}
