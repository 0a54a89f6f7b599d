import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import isthmus
from isthmus import AnomalyDetector, AutoEncoder, zoo
from isthmus.tasks.anomaly import recipe

NAMES = ("denoiser", "residual", "likelihood", "mahalanobis", "neighbours", "histogram")

pytestmark = pytest.mark.filterwarnings("ignore:column 'when'. the place of its times")


def rows(n, seed=0):
    """Four columns about a plane."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    turn = np.array([[1.0, 0.5, -1.0, 2.0], [0.3, -1.0, 0.7, 1.0]])
    return z @ turn + 0.1 * rng.normal(size=(n, 4)) + [10, 0, -5, 0]


def odd_rows(n, seed=1, by=4):
    found = rows(n, seed)
    rng = np.random.default_rng(seed)
    found[np.arange(n), rng.integers(0, 4, n)] += by
    return found


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n).round()
    frame = pd.DataFrame(
        {
            "age": age,
            "pay": 10 * age + rng.normal(size=n),
            "city": rng.choice(["a", "b", "c"], n),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s"),
        }
    )
    frame.loc[3, "pay"] = np.nan
    return frame


def quick(**settings):
    return AnomalyDetector(**{"method": "mahalanobis", "setting": "clean", "random_state": 0} | settings)


@pytest.mark.filterwarnings("ignore:y is ignored")
@pytest.mark.usefixtures("few_steps")
@parametrize_with_checks(
    [
        AnomalyDetector(random_state=0),
        # Without calibration, since in a clean setting six denoisers are trained for it.
        AnomalyDetector(setting="clean", calibration_fraction=None, random_state=0),
        AnomalyDetector(method="residual"),
        AnomalyDetector(method="likelihood"),
        AnomalyDetector(method=("mahalanobis", "histogram")),
        AnomalyDetector("clean", ("histogram", IsolationForest(n_estimators=5)), random_state=0),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
@pytest.mark.parametrize("method", ["auto", "ensemble", ("mahalanobis", "neighbours"), *NAMES])
def test_odd_rows_score_higher(method, setting):
    X = rows(300)
    if setting == "contaminated":
        X = np.concatenate([X, odd_rows(15, 2)])
    # Calibration trains five more times, and has no part in scores.
    detector = AnomalyDetector(setting, method, calibration_fraction=None, random_state=0).fit(X)
    scores = -detector.score_samples(np.concatenate([rows(60, 5), odd_rows(30)]))
    least = 0.5 if method == "histogram" else 0.9
    assert roc_auc_score(np.repeat([0, 1], [60, 30]), scores) > least


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("setting", ["clean", "contaminated"])
@pytest.mark.parametrize("method", ["auto", "ensemble", ("mahalanobis", "neighbours"), *NAMES])
def test_scores_are_row_by_row_and_the_same_again(method, setting):
    X = rows(300)
    detector = AnomalyDetector(setting, method, random_state=0).fit(X)
    new = np.concatenate([rows(60, 5), odd_rows(30)])
    scores = -detector.score_samples(new)
    np.testing.assert_array_equal(-detector.score_samples(new[::-1])[::-1], scores)
    np.testing.assert_array_equal([-detector.score_samples(new[i : i + 1])[0] for i in (0, 61)], scores[[0, 61]])
    np.testing.assert_array_equal(clone(detector).fit(X).score_samples(new), -scores)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(new), -scores)


@pytest.mark.usefixtures("few_steps")
def test_what_was_taken_is_told():
    assert quick(method="auto").fit(rows(50)).method_ == ("neighbours", "ranks", "denoiser", "rarity")
    detector = AnomalyDetector(random_state=0).fit(rows(50))
    assert detector.method_ == ("mahalanobis", "histogram", "denoiser")
    assert "may be anomalies" in detector.reason_
    assert quick(method="mahalanobis").fit(rows(50)).reason_ == "asked for"
    sparse = quick(method="auto").fit(scipy.sparse.random_array((80, 30), density=0.2, rng=0).tocsr())
    assert sparse.method_ == ("likelihood",)
    assert "sparse" in sparse.reason_
    assert "likelihood" in AnomalyDetector(random_state=0).fit(table(60)).method_


@pytest.mark.usefixtures("few_steps")
def test_no_global_random_state_is_read_or_written():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    AnomalyDetector(method=NAMES, random_state=0).fit(rows(60))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_pyods_attributes():
    X = rows(200)
    detector = quick(contamination=0.1).fit(X)
    np.testing.assert_array_equal(detector.decision_scores_, -detector.score_samples(X))
    assert detector.labels_.sum() == 20
    np.testing.assert_array_equal(detector.labels_, detector.decision_scores_ > detector.threshold_)
    np.testing.assert_array_equal(detector.predict(X) == -1, detector.labels_ == 1)
    assert detector.offset_ == -detector.threshold_


def test_about_one_normal_row_in_a_hundred_is_called_an_anomaly_by_default():
    detector = quick().fit(rows(5000))
    assert 0.003 < (detector.predict(rows(5000, 7)) == -1).mean() < 0.03
    contaminated = AnomalyDetector(method="mahalanobis", random_state=0)
    contaminated.fit(np.concatenate([rows(4950), odd_rows(50, 3, by=9)]))
    assert (contaminated.predict(rows(5000, 7)) == -1).mean() < 0.03
    assert (contaminated.predict(odd_rows(500, by=15)) == -1).mean() > 0.8


@pytest.mark.parametrize("n", [200, 3000])
def test_false_alarms_at_a_level_and_at_a_rate(n):
    X, new = rows(n), np.concatenate([rows(900, 7), odd_rows(100)])
    p = quick().fit(X).pvalues(new)
    assert 0.01 < (p[:900] <= 0.05).mean() < 0.12
    called = quick(alpha=0.05).fit(X).predict(new) == -1
    np.testing.assert_array_equal(called, p <= 0.05)
    if n > 1000:
        called = quick(fdr=0.2).fit(X).predict(new) == -1
        assert called[900:].mean() > 0.8
        assert called[:900].sum() < 0.4 * called.sum()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.2])
def test_the_default_decision_follows_the_scores(share):
    rng = np.random.default_rng(0)
    X, odd = rows(1000), np.arange(1000) < 1000 * share
    X[odd] = rng.normal(size=(odd.sum(), 4)) + 25
    detector = AnomalyDetector(method=("mahalanobis", "neighbours"), random_state=0).fit(X)
    assert detector.labels_[odd].mean() > 0.95
    assert detector.labels_[~odd].mean() < 0.02
    assert 1 / 1.5 < detector.n_anomalies_.estimate / odd.sum() < 1.5
    assert detector.n_anomalies_.low <= odd.sum() <= detector.n_anomalies_.high
    assert f"{detector.labels_.sum()} of 1,000 training rows are called" in str(detector.decision_)


@pytest.mark.parametrize(("n", "most"), [(50, 0.03), (100, 0.02), (300, 0.02)])
def test_few_clean_rows_give_few_false_alarms(n, most):
    alarms = [np.mean(quick().fit(rows(n, seed)).predict(rows(1000, seed + 50)) == -1) for seed in range(10)]
    assert np.mean(alarms) <= most


def test_known_anomalies_weigh_the_methods_and_set_the_threshold(tmp_path):
    X = np.concatenate([rows(560), odd_rows(40, 3, by=1)])
    odd, known = np.arange(600) >= 560, np.arange(600) >= 590
    methods = ("mahalanobis", "histogram")
    without = AnomalyDetector(method=methods, random_state=0).fit(X)
    detector = AnomalyDetector(method=methods, random_state=0).fit(X, np.where(known, 1, -1))
    assert detector.decision_.rule == "known anomalies"
    assert "10 known anomalies" in str(detector.decision_)
    assert detector.n_anomalies_.low >= 10
    hidden = ~known
    scores, before = detector.decision_scores_[hidden], without.decision_scores_[hidden]
    assert roc_auc_score(odd[hidden], scores) > roc_auc_score(odd[hidden], before)
    assert f1_score(odd[hidden], detector.labels_[hidden]) > f1_score(odd[hidden], without.labels_[hidden])
    detector.save(tmp_path / "known.isthmus")
    new = isthmus.load(tmp_path / "known.isthmus")
    assert (new.decision_, new.n_anomalies_) == (detector.decision_, detector.n_anomalies_)
    np.testing.assert_array_equal(new.pvalues(X[:5]), detector.pvalues(X[:5]))


def test_probabilities_answer_two_questions():
    X, odd = rows(2000), np.arange(2000) < 100
    X[odd] += 30
    detector = AnomalyDetector(method="mahalanobis", random_state=0).fit(X)
    found = detector.probability(X)
    np.testing.assert_array_equal(found.as_odd, detector.pvalues(X))
    assert found.anomaly[odd].min() > 0.9
    assert found.anomaly[~odd].mean() < 0.02
    normal = quick().fit(rows(2000)).probability(np.concatenate([rows(500, 9), rows(5, 9) + 30]))
    assert normal.anomaly[:500].mean() < 0.02
    assert normal.anomaly[500:].min() > 0.9
    with pytest.raises(ValueError, match="no rows were held out"):
        quick(calibration_fraction=None).fit(X).probability(X)


def test_p_values_are_whole_numbers_over_the_rows_held_out_and_one():
    detector = quick(calibration_fraction=0.25).fit(rows(400))
    p = detector.pvalues(rows(50, 3)) * 101
    np.testing.assert_allclose(p, p.round(), atol=1e-9)
    with pytest.raises(ValueError, match=r"no rows were held out .* calibrate\(X\)"):
        quick(calibration_fraction=None).fit(rows(100)).pvalues(rows(5))


def test_a_level_that_the_rows_cannot_reach_is_refused():
    with pytest.raises(ValueError, match=r"needs at least 999 calibration rows; there are 100"):
        quick(alpha=0.001).fit(rows(100)).predict(rows(5))


def test_contaminated_rows_do_not_calibrate_and_clean_ones_do():
    X = np.concatenate([rows(1800), odd_rows(200, 3, by=9)])
    detector = AnomalyDetector(method="mahalanobis", fdr=0.05, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"calibration rows .* score like anomalies.*known to be normal"):
        detector.predict(odd_rows(20))
    detector.calibrate(rows(500, 9))
    called = detector.predict(np.concatenate([rows(80, 11), odd_rows(20, by=9)])) == -1
    assert called[80:].mean() > 0.8


def test_no_anomalies_and_nothing_but_anomalies():
    detector = quick(fdr=0.05).fit(rows(3000))
    with pytest.warns(UserWarning, match="a single one would need 5999 calibration rows"):
        assert (detector.predict(rows(300, 9)) == 1).all()
    assert (detector.predict(odd_rows(300)) == -1).mean() > 0.9


def test_shifted_normal_rows_get_larger_weighted_p_values():
    X, new = rows(4000), rows(4000, 3)
    shifted = new[new[:, 0] > 11][:300]
    detector = quick(method="neighbours").fit(X)
    plain, weighted = detector.pvalues(shifted), detector.pvalues(shifted, weighted=True)
    assert (weighted <= 0.1).mean() < (plain <= 0.1).mean()
    assert (weighted <= 0.1).mean() < 0.14
    with pytest.raises(ValueError, match="so unlike the calibration rows"):
        detector.pvalues(shifted + 3000, weighted=True)
    with pytest.raises(ValueError, match="held out in turn"):
        quick().fit(rows(100)).pvalues(new, weighted=True)


def test_contributions_add_up_and_name_the_column():
    detector = quick(method=("mahalanobis", "neighbours")).fit(rows(500))
    odd = rows(20, 3)
    odd[np.arange(20), np.arange(20) % 4] += 5
    found = detector.explain(odd)
    np.testing.assert_allclose(found.contributions.sum(1), found.scores)
    np.testing.assert_allclose(found.scores, -detector.score_samples(odd))
    assert (found.top(1)[:, 0] == [f"x{j % 4}" for j in range(20)]).mean() > 0.8
    right = rows(20, 3)
    column = np.arange(20) % 4
    error = np.abs(found.expected - right)[np.arange(20), column]
    assert np.median(error) < 0.5
    alone = detector.explain(odd[7:8])
    np.testing.assert_array_equal(alone.contributions, found.contributions[7:8])


@pytest.mark.filterwarnings("ignore:column 'city' holds categories that it did not hold in fit .'elsewhere'.")
@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_tables_of_several_kinds_of_columns(kind):
    make = {"pandas": lambda t: t, "polars": pl.from_pandas, "arrow": pa.Table.from_pandas}[kind]
    detector = AnomalyDetector(random_state=0).fit(make(table(300)))
    new = table(5, 1)
    new.loc[0, "pay"], new.loc[1, "city"], new.loc[2, "age"] = 20.0, "elsewhere", np.nan
    scores = -detector.score_samples(make(new))
    assert np.isfinite(scores).all()
    assert scores[:3].min() > scores[3:].max()
    assert scores[2] > detector.decision_scores_.max(), "no age was missing in fit"
    found = detector.explain(make(new))
    assert found.top(1)[:3, 0].tolist() == ["pay", "city", "age"]
    report = detector.report(make(new), n=3)
    assert sorted(report["row"].to_list() if kind == "polars" else report["row"]) == [0, 1, 2]
    assert type(report).__module__.split(".")[0] == ("polars" if kind == "polars" else "pandas")
    assert len(found.frame()) == 20
    assert "pay" in str(found)


def test_report_of_the_oddest_rows():
    detector = quick(alpha=0.1).fit(rows(500))
    new = np.concatenate([rows(30, 3), odd_rows(3)])
    found = detector.report(new, n=3)
    assert set(found["row"]) == {30, 31, 32}
    assert (found["score"].diff().dropna() <= 0).all()
    np.testing.assert_allclose(found["p_value"], detector.pvalues(new[found["row"]]))
    assert list(found.columns[3:6]) == ["column_1", "seen_1", "expected_1"]


def test_images_get_maps():
    X = load_digits().data
    detector = AnomalyDetector(method="mahalanobis", setting="clean", random_state=0).fit(X[:1000].astype(np.uint8))
    new = X[1000:1003].astype(np.uint8)
    new[0, 30] = 255
    found = detector.explain(new)
    image = found.map((8, 8))
    assert image.shape == (3, 8, 8)
    assert image[0].argmax() == 30
    with pytest.raises(ValueError, match="9 pixels"):
        found.map((3, 3))


@pytest.mark.usefixtures("few_steps")
def test_wide_rows_are_explained_by_shares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 200))
    detector = quick(method=("mahalanobis", "denoiser")).fit(X)
    odd = X[:2].copy()
    odd[0, 150] += 15
    found = detector.explain(odd)
    np.testing.assert_allclose(found.contributions.sum(1), found.scores)
    assert found.contributions[0].argmax() == 150


def test_sparse_rows():
    X = scipy.sparse.random_array((400, 60), density=0.1, rng=0).tocsr()
    detector = AnomalyDetector(random_state=0).fit(X)
    found = detector.explain(X[:3])
    np.testing.assert_allclose(found.contributions.sum(1), found.scores)
    np.testing.assert_array_equal(-detector.score_samples(X[:3]), found.scores)
    assert detector.set_params(alpha=0.1).predict(X).shape == (400,)
    with pytest.raises(ValueError, match="only 'likelihood' takes sparse rows"):
        quick().fit(X)


def test_drift_of_a_stream():
    detector = quick(method="neighbours").fit(rows(3000))
    found = None
    for seed in range(3):
        found = detector.drift(rows(200, 20 + seed), after=found)
    assert not found.changed
    assert found.batches == 3
    for seed in range(3):
        found = detector.drift(rows(200, 30 + seed) + np.array([0, 1.5, 0, 0]), after=found)
    assert found.changed
    assert found.columns == ("x1",)
    assert found.since > 600
    assert "x1" in str(found)
    with pytest.raises(ValueError, match="held out of training, and there are none"):
        quick().fit(rows(100)).drift(rows(10))


def test_rows_from_parquet(tmp_path):
    X = pd.DataFrame(rows(3000), columns=list("abcd"))
    pq.write_table(pa.Table.from_pandas(X, preserve_index=False), tmp_path / "rows.parquet", row_group_size=500)
    detector = quick().fit(tmp_path / "rows.parquet")
    assert detector.feature_names_in_.tolist() == list("abcd")
    scores = detector.score_samples(tmp_path / "rows.parquet")
    np.testing.assert_array_equal(scores, detector.score_samples(X))
    np.testing.assert_array_equal(detector.predict(tmp_path / "rows.parquet"), detector.predict(X))
    np.testing.assert_array_equal(detector.pvalues(tmp_path / "rows.parquet"), detector.pvalues(X))
    batch = pa.RecordBatch.from_pandas(X[:10], preserve_index=False)
    (scored,) = detector.score_batches([batch])
    np.testing.assert_array_equal(scored["score"], scores[:10])


def test_many_rows_are_drawn_from(monkeypatch):
    monkeypatch.setattr(recipe, "MOST_ROWS", 400)
    detector = quick().fit(rows(1000))
    assert len(detector.decision_scores_) == 1000


@pytest.mark.parametrize(
    "estimator", [AutoEncoder(latent=2, hidden=(16,), epochs=30), zoo.variational(latent=2, epochs=30)]
)
def test_an_estimator_of_the_users(estimator):
    detector = quick(method="auto", estimator=estimator).fit(rows(1500))
    assert detector.method_ == ("likelihood",)
    new = np.concatenate([rows(60, 5), odd_rows(30)])
    assert roc_auc_score(np.repeat([0, 1], [60, 30]), -detector.score_samples(new)) > 0.8


def test_a_fitted_estimator_is_used_as_it_is():
    fitted = AutoEncoder(latent=2, hidden=(16,), epochs=30, random_state=0).fit(rows(500))
    weights = [p.clone() for p in fitted.network_.parameters()]
    detector = quick(method="auto", estimator=fitted).fit(rows(300, 3))
    assert all((a == b).all() for a, b in zip(weights, fitted.network_.parameters(), strict=True))
    own, theirs = detector.score_samples(rows(50, 4)), fitted.score_samples(rows(50, 4))
    np.testing.assert_array_equal(np.argsort(own), np.argsort(theirs))
    with pytest.raises(ValueError, match="does not suit the columns that the fitted estimator knows"):
        quick(method="auto", estimator=fitted).fit(rows(100)[:, :3])
    with pytest.raises(ValueError, match="is fitted, and method='residual' trains"):
        quick(method="residual", estimator=fitted).fit(rows(100))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fdr": 0.1, "contamination": 0.1}, "fdr and contamination are given"),
        ({"fdr": 0.1, "alpha": 0.1}, "fdr and alpha are given"),
        ({"contamination": 0.6}, r"contamination must be a number in \(0, 0.5\]"),
        ({"alpha": 0}, r"alpha must be a number in \(0, 1\)"),
        ({"fdr": "0.1"}, "fdr must be a number"),
        ({"calibration_fraction": 1.5}, "calibration_fraction must be"),
        ({"setting": "dirty"}, "unknown setting 'dirty'"),
        ({"method": "knn"}, "unknown method 'knn'"),
        ({"method": ("mahalanobis", "knn")}, "unknown method"),
        ({"estimator": "vae"}, "estimator must be an AutoEncoder"),
        ({"estimator": AutoEncoder()}, "has no use for the estimator"),
    ],
)
def test_parameters_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        quick(**settings).fit(rows(100))


def test_rows_that_cannot_be():
    with pytest.raises(ValueError, match="all 30 rows of X are the same"):
        quick().fit(np.ones((30, 3)))
    with pytest.raises(ValueError, match="all 30 rows of X are the same"):
        quick(method="auto").fit(scipy.sparse.csr_array(np.ones((30, 3))))
    detector = quick().fit(rows(100))
    with pytest.raises(ValueError, match="X has 3 features, but AnomalyDetector is expecting 4"):
        detector.predict(rows(5)[:, :3])


def test_labels_are_warned_of():
    with pytest.warns(UserWarning, match="it holds one label"):
        quick().fit(rows(50), np.zeros(50))
    with pytest.warns(UserWarning, match="it holds two labels"):
        quick().fit(rows(50), np.arange(50) % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick().fit(rows(50), np.arange(50))


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("method", ["auto", *NAMES])
def test_a_column_that_was_constant(method):
    X = np.column_stack([rows(200), np.full(200, 3.0)])
    detector = quick(method=method).fit(X)
    new = np.column_stack([rows(3, 5), [3.0, 3.0, 4.0]])
    scores = -detector.score_samples(new)
    assert scores[2] > scores[:2].max()
    if method != "likelihood":
        assert detector.explain(new[2:]).top(1)[0, 0] == "x4"


def test_scores_that_tie():
    X = np.repeat(np.eye(4), 25, axis=0)
    detector = quick(method="neighbours", contamination=0.1).fit(X)
    assert (detector.predict(X) == 1).all()
    assert (quick(method="neighbours", alpha=0.2).fit(X).predict(X) == 1).all()


def test_failed_fits_leave_the_detector_as_it_was():
    detector = quick().fit(rows(100))
    before = detector.score_samples(rows(5))
    with pytest.raises(ValueError, match="the same"):
        detector.fit(np.ones((30, 4)))
    np.testing.assert_array_equal(detector.score_samples(rows(5)), before)


def test_real_rows():
    X, y = load_breast_cancer(return_X_y=True)
    normal, odd = X[y == 1], X[y == 0]
    detector = AnomalyDetector("clean", calibration_fraction=None, random_state=0).fit(normal[:250])
    scores = -detector.score_samples(np.concatenate([normal[250:], odd]))
    assert roc_auc_score(np.repeat([0, 1], [len(normal) - 250, len(odd)]), scores) > 0.9
