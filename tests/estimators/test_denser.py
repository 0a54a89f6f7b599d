from types import SimpleNamespace

import numpy as np
import pytest

from isthmus import AutoEncoder, load_dataset
from isthmus.estimators import denser

DIGITS = load_dataset("digits")


@pytest.fixture(scope="module")
def model():
    return AutoEncoder(34, random_state=0).fit(DIGITS.X)


@pytest.mark.slow
def test_a_gain_within_chance_is_kept_where_rows_are_more_probable(model):
    """With 34 numbers the components have as little error, and 27 nats less of density."""
    assert not model.floor_.returned
    assert model.floor_.gain > 0
    components = AutoEncoder(34, hidden=(), activation="identity", epochs=1, random_state=0).fit(DIGITS.X)
    assert model.score(DIGITS.X_test) > components.score(DIGITS.X_test) + 10


@pytest.mark.slow
def test_the_size_that_is_chosen_has_no_worse_score_than_others():
    chosen = AutoEncoder("auto", random_state=0).fit(DIGITS.X)
    others = [AutoEncoder(K, random_state=0).fit(DIGITS.X).score(DIGITS.X_test) for K in (16, 48)]
    assert chosen.score(DIGITS.X_test) > max(others)


@pytest.mark.parametrize(
    ("network", "components", "expected"),
    [
        ([2.0, 3.0, 4.0], [1.0, 2.0, 3.1], True),
        ([2.0, 3.0, 4.0], [2.0, 3.0, 4.0], False),
        ([2.0, 3.0, 4.0], [3.0, 2.0, 3.9], False),
        (None, [1.0, 2.0, 3.0], False),
    ],
)
def test_beyond_one_standard_error(monkeypatch, network, components, expected):
    found = {"network": network, "components": components}

    def densities(built, *_):
        return None if found[built.name] is None else np.array(found[built.name])

    monkeypatch.setattr(denser, "log_densities", densities)
    built = [SimpleNamespace(name=name) for name in found]
    assert denser.is_denser(*built, None, None, None) is expected
