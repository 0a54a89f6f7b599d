import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from isthmus import AnomalyDetector


@pytest.mark.filterwarnings("ignore:y is ignored")
@parametrize_with_checks(
    [
        AnomalyDetector(random_state=0),
        AnomalyDetector(setting="clean", random_state=0),
        AnomalyDetector(method="mahalanobis"),
        AnomalyDetector(method="likelihood"),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
