"""What a detector holds of the training rows, and files without them."""

import numpy as np
import pytest

from isthmus import AnomalyDetector, load

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) @ RNG.normal(size=(3, 4)) + 0.1 * RNG.normal(size=(80, 4))


def detector(method, **settings):
    return AnomalyDetector(method=method, random_state=0, **settings).fit(X)


def test_rows_are_counted_by_what_holds_them():
    by = detector(("neighbours", "rarity", "mahalanobis"), setting="clean", calibration_fraction=0.25).stored_rows_.by
    assert by == {"neighbours": 60, "rarity": 60, "calibration": 20}


@pytest.mark.parametrize("fraction", [0.25, "auto"], ids=["split", "cross"])
def test_a_file_without_rows_gives_the_same_answers(tmp_path, fraction):
    original = detector(("mahalanobis", "histogram"), calibration_fraction=fraction)
    original.save(tmp_path / "whole")
    original.save(tmp_path / "bare", rows=False)
    bare = load(tmp_path / "bare")
    assert str(bare.stored_rows_) == "no training rows"
    assert load(tmp_path / "whole").stored_rows_.by == {"calibration": 20 if fraction == 0.25 else 80}
    for method in ("score_samples", "pvalues", "predict"):
        np.testing.assert_array_equal(getattr(bare, method)(X), getattr(original, method)(X))
    with pytest.raises(ValueError, match="weighted p-values"):
        bare.pvalues(X, weighted=True)
    with pytest.raises(ValueError, match="held out of training"):
        bare.drift(X)


def test_no_training_row_is_in_a_file_without_rows(tmp_path):
    original = detector("mahalanobis", calibration_fraction=0.25)
    original.save(tmp_path / "whole")
    original.save(tmp_path / "bare", rows=False)
    row = original._fitted.trained.calibration.numbers[0].tobytes()
    assert row in (tmp_path / "whole").read_bytes()
    assert row not in (tmp_path / "bare").read_bytes()


def test_methods_that_score_by_rows_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"'neighbours' scores by them: fit with other methods"):
        detector(("neighbours", "mahalanobis")).save(tmp_path / "bare", rows=False)
    assert list(tmp_path.iterdir()) == []
