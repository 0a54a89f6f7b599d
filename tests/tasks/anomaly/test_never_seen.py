import numpy as np
import pytest
import scipy.sparse
from sklearn.ensemble import IsolationForest

from isthmus import AnomalyDetector, load
from isthmus.data.reading import learn_table
from isthmus.tasks.anomaly.never_seen import NeverSeen

pandas = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
Z = RNG.normal(size=400)
FRAME = pandas.DataFrame({"a": Z, "b": -Z + 0.1 * RNG.normal(size=400), "c": 2 * Z + 0.1 * RNG.normal(size=400)})
X = FRAME.to_numpy()


def test_scores_are_raised_above_the_highest_of_training():
    gaps = NeverSeen(None, rows=99, highest=5.0)
    numbers = np.array([[1.0, 2.0], [np.nan, 2.0], [np.nan, np.nan], [np.nan, 1.0]])
    raised = gaps.raised(np.array([1.0, 1.0, 1.0, 7.0]), numbers)
    np.testing.assert_allclose(raised, [1.0, 5 + np.log(100), 5 + 2 * np.log(100), 7 + np.log(100)])
    np.testing.assert_array_equal(gaps.filled(numbers, np.full((4, 2), 9.0)), np.where(np.isnan(numbers), 9.0, numbers))
    assert gaps.filled(numbers[:1], numbers[:1]) is numbers[:1] or gaps.places(numbers[:1]) is None
    for others in (numbers[:1], np.ones((2, 2), dtype=int), scipy.sparse.csr_array(np.eye(2))):
        assert gaps.places(others) is None


def test_only_columns_that_had_no_gap_count():
    frame = FRAME.assign(d=np.where(Z > 0, "x", "y"), e=np.where(Z > 1, np.nan, Z), f=Z)
    table, schema = learn_table(frame, caller="Test", columns={"f": "ignored"})
    numbers = table.drawn(slice(None))[:6].copy()
    for row in range(6):
        numbers[row] = np.nan
        numbers[row, [column for column in range(6) if column != row]] = 0.0
    places = NeverSeen(schema.columns, 400, 1.0).places(numbers)
    assert places.nonzero()[0].tolist() == places.nonzero()[1].tolist() == [0, 1, 2, 3]


def distance(train):
    assert np.isfinite(train).all()
    return lambda rows: np.linalg.norm(rows - train.mean(0), axis=1)


NAMED = ["auto", "denoiser", "residual", "likelihood", "mahalanobis", "neighbours", "histogram"]


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("setting", ["clean", "contaminated"])
@pytest.mark.parametrize("method", [*NAMED, distance, IsolationForest(n_estimators=5)], ids=[*NAMED, "own", "forest"])
def test_a_sensor_that_falls_silent_is_found_and_named(setting, method):
    detector = AnomalyDetector(setting, method, random_state=0).fit(FRAME)
    silent = FRAME[:3].assign(b=[0.1, np.nan, 0.2])
    scores = -detector.score_samples(silent)
    assert scores[1] > detector.decision_scores_.max()
    np.testing.assert_array_equal(scores[[0, 2]], -detector.score_samples(silent.iloc[[0, 2]]))
    assert detector.predict(silent)[1] == -1
    assert detector.pvalues(silent)[1] <= 0.02
    explained = detector.explain(silent)
    assert explained.top(1)[1] == ["b"]
    np.testing.assert_allclose(explained.contributions.sum(1), explained.scores)
    assert abs(explained.expected["b"][1] + Z[1]) < 0.5
    assert (-detector.score_samples(silent.assign(a=np.nan)))[1] > scores[1]


@pytest.mark.parametrize("rates", [{}, {"alpha": 0.05}, {"fdr": 0.1}, {"contamination": 0.02}], ids=str)
@pytest.mark.parametrize("rows", [60, 400])
def test_it_is_found_by_every_rule(rates, rows):
    detector = AnomalyDetector("clean", "mahalanobis", random_state=0, **rates).fit(X[:rows])
    assert detector.predict(np.where(np.eye(3) > 0, np.nan, X[:3])).tolist() == [-1, -1, -1]


@pytest.mark.usefixtures("few_steps")
def test_images_and_mixed_tables(tmp_path):
    wide = np.repeat(X, 50, axis=1) + 0.1 * RNG.normal(size=(400, 150))
    detector = AnomalyDetector("clean", "mahalanobis", random_state=0).fit(wide)
    silent = wide[:2].copy()
    silent[1, 70] = np.nan
    assert detector.explain(silent).top(1)[1] == ["x70"]
    mixed = FRAME.assign(kind=np.where(Z > 0, "x", "y"), gaps=np.where(Z > 1, np.nan, Z))
    detector = AnomalyDetector("clean", "likelihood", random_state=0).fit(mixed)
    silent = mixed[:3].assign(kind=["x", None, "y"])
    assert detector.explain(silent).top(1)[1] == ["kind"]
    assert -detector.score_samples(silent)[1] > detector.decision_scores_.max()
    usual = mixed[:3].assign(gaps=np.nan)
    assert (-detector.score_samples(usual) < detector.decision_scores_.max()).all()
    detector.save(tmp_path / "detector.isthmus")
    again = load(tmp_path / "detector.isthmus")
    np.testing.assert_array_equal(again.score_samples(silent), detector.score_samples(silent))


def test_gaps_in_training_rows_of_a_fitted_estimator_are_refused():
    from isthmus import AutoEncoder

    estimator = AutoEncoder(1, epochs=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match="does not suit the columns that the fitted estimator knows"):
        AnomalyDetector("clean", estimator=estimator).fit(np.where(X > 2, np.nan, X))


@pytest.mark.usefixtures("few_steps")
def test_impossible_values_are_found_and_named(tmp_path):
    rng = np.random.default_rng(0)
    size = pandas.Categorical(
        np.where(Z > 1, "L", np.where(Z > -1, "M", "S")), categories=["S", "M", "L"], ordered=True
    )
    frame = FRAME[["a"]].assign(visits=rng.poisson(np.exp(1 + 0.5 * Z)), member=(Z > 0).astype(int), size=size)
    for setting in ("clean", "contaminated"):
        detector = AnomalyDetector(setting, random_state=0).fit(frame)
        odd = frame[:5].assign(size=pandas.Categorical(size[:5], categories=["S", "M", "L", "XL"], ordered=True))
        odd.loc[0, "visits"], odd.loc[1, "member"], odd.loc[2, "size"] = -500, 7, "XL"
        scores = -detector.score_samples(odd)
        assert (scores[:3] > detector.decision_scores_.max()).all()
        np.testing.assert_array_equal(scores[3:], -detector.score_samples(frame[3:5]))
        explained = detector.explain(odd)
        assert [names[0] for names in explained.top(1)[:3]] == ["visits", "member", "size"]
        np.testing.assert_allclose(explained.contributions.sum(1), explained.scores)
        detector.save(tmp_path / "detector.isthmus")
        np.testing.assert_array_equal(load(tmp_path / "detector.isthmus").score_samples(odd), -scores)
