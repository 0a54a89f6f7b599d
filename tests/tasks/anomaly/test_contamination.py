import numpy as np
import pytest

from isthmus.tasks.anomaly.contamination import Contamination, refuse_contaminated, warn_contaminated

CLEAN = {
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "gamma": lambda rng, n: rng.gamma(2, size=n),
    "t3": lambda rng, n: rng.standard_t(3, size=n),
}


def with_anomalies(share, n=500):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=n)
    scores[: round(share * n)] += rng.uniform(7, 9, size=round(share * n))
    return scores


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize(("n", "sets"), [(50, 100), (200, 100), (2000, 10)])
def test_clean_rows_are_hardly_ever_refused(name, n, sets):
    assert np.mean([Contamination.of(CLEAN[name](np.random.default_rng(s), n)).sure for s in range(sets)]) <= 0.05


@pytest.mark.parametrize("share", [0.1, 0.15, 0.2])
def test_anomalies_among_the_calibration_rows(share):
    with pytest.raises(ValueError, match=r"a level of 0.05 was asked for, but \d+ of the 500 .*setting='clean'"):
        refuse_contaminated(with_anomalies(share), 0.05)
    with pytest.warns(UserWarning, match="said to be normal"):
        warn_contaminated(with_anomalies(share), 0.05)
    refuse_contaminated(with_anomalies(share), 0.3)
