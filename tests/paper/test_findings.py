import warnings

import numpy as np
import pytest

from isthmus import TrainingWarning
from isthmus.paper.findings import fit_models, kept_warnings
from isthmus.paper.images import Images
from isthmus.paper.networks import Run, estimator


def test_what_checks_say_is_kept_and_not_shown():
    with kept_warnings() as texts:
        warnings.warn("the code is the same for every row", TrainingWarning, stacklevel=1)
        warnings.warn("latent=9 is not smaller than the 4 columns", UserWarning, stacklevel=1)
    assert texts == ["the code is the same for every row.", "latent=9 is not smaller than the 4 columns."]


def test_other_warnings_are_shown():
    def something_else() -> list[str]:
        with kept_warnings() as texts:
            warnings.warn("something else", UserWarning, stacklevel=1)
        return texts

    with pytest.warns(UserWarning, match="something else"):
        assert something_else() == []


def test_findings_name_their_network():
    x = np.random.default_rng(0).random((200, 16), dtype=np.float32)
    images = Images("noise", "nowhere", x, x, np.arange(200) % 10, (4, 4), 1.0)
    models = {"paper's": estimator(Run("", "paper", 4, 8, epochs=1), 16).set_params(validation=0.5)}
    fitted, findings = fit_models(models, images)
    assert fitted["paper's"].network_ is not None
    assert {finding.network for finding in findings} == {"paper's"}
    assert all(finding.text.endswith(".") for finding in findings)
