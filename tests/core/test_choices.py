import pytest

from isthmus.core.choices import unknown


def test_nearest_name_is_offered():
    sentence = unknown("likelihood", "bernouli", ["gaussian", "bernoulli"])
    assert sentence == "unknown likelihood 'bernouli'; did you mean 'bernoulli'? (one of: 'gaussian', 'bernoulli')"


@pytest.mark.parametrize("given", ["zzz", None, 7, ("relu", 1)])
def test_nothing_is_offered_where_nothing_is_near(given):
    assert unknown("norm", given, {"batch": 1, "layer": 2}) == f"unknown norm {given!r} (one of: 'batch', 'layer')"
