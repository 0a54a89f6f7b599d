import numpy as np
import pandas as pd
import pytest
import torch

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly.trimming import trimmed


def test_rows_are_near_by_some_cells_alone():
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.normal(size=(200, 3)))
    x[:20, 2] += 50
    by_all, by_two = trimmed(x, 5), trimmed(x, 5, by=torch.tensor([0, 1]))
    assert abs(float(by_all.mean[2])) < 1
    assert float(by_two.mean[2]) > 1
    assert len(by_two.mean) == 3


@pytest.fixture(scope="module")
def table():
    """Rows of two numbers that go together, a column of many categories of which half are rare, and gaps."""
    random = np.random.default_rng(0)
    n = 1200
    a = random.normal(size=n)
    job = np.where(random.random(n) < 0.6, "other", [f"job {k}" for k in random.integers(0, 40, n)])
    frame = pd.DataFrame({"a": a, "b": a + 0.1 * random.normal(size=n), "c": random.normal(size=n), "job": job})
    frame.loc[random.random(n) < 0.4, "c"] = np.nan
    return frame


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("method", ["mahalanobis", "likelihood"])
def test_rows_of_rare_categories_are_no_anomalies(table, method):
    """They are 40 % of the rows, each category 1 %."""
    detector = AnomalyDetector(method=method, random_state=0).fit(table)
    assert detector.labels_.mean() < 0.1
    rare = (table["job"] != "other").to_numpy()
    top = np.argsort(-detector.decision_scores_)[:10]
    detector_score = detector.decision_scores_
    assert np.median(detector_score[rare]) < detector_score[top].min()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rows_of_which_less_is_known_are_not_the_more_normal(table):
    scores = AnomalyDetector(method="likelihood", random_state=0).fit(table).decision_scores_
    gap = table["c"].isna().to_numpy()
    places = scores.argsort().argsort() / len(scores)
    assert abs(places[gap].mean() - places[~gap].mean()) < 0.1
