import numpy as np
import pytest

from isthmus import AutoEncoder


def test_sparse_codes_are_compared_with_as_many_components_as_they_use():
    X = np.random.default_rng(0).normal(size=(400, 30))
    floor = AutoEncoder(60, code="top_k", random_state=0, epochs=2).fit(X).floor_
    assert floor.method == "PCA with 25" or floor.method.startswith("PCA with ")
    assert int(floor.method.split()[-1]) < 30


@pytest.mark.filterwarnings("ignore:only .* of the .* codewords:isthmus.TrainingWarning")
def test_codebooks_and_objectives_have_none():
    X = np.random.default_rng(0).normal(size=(200, 12))
    for settings in ({"code": "fsq"}, {"code": "gaussian", "objective": "importance_weighted"}):
        assert not hasattr(AutoEncoder(4, epochs=1, random_state=0, **settings).fit(X), "floor_")
