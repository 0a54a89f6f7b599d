import numpy as np

from isthmus.reports.probing import MOST_CLASSES, probed

RANDOM = np.random.default_rng(0)
CELLS = RANDOM.normal(size=(200, 6))


def test_two_classes_that_the_codes_hold_are_told_apart():
    classes = (RANDOM.random(200) > 0.8).astype(int)
    found = probed(np.column_stack([classes, RANDOM.normal(size=200)]), CELLS, classes, None)
    scores = [one.score for one in found.probes]
    assert found.measure == "AUROC"
    assert scores[:2] == [0.5, 1.0]
    assert scores[2] < 0.8
    assert found.probes[2].inputs == "PCA, 2 numbers"


def test_more_classes_have_an_accuracy_and_rare_ones_are_left_out():
    classes = np.repeat([0, 1, 2, 3], [100, 60, 38, 2])
    classes[:5] = -1
    codes = np.eye(4)[classes]
    found = probed(codes, CELLS, classes, None)
    assert (found.measure, found.classes, found.rows) == ("accuracy", 3, 193)
    assert found.probes[1].score == 1.0


def test_numbers_have_an_r2():
    numbers = CELLS @ RANDOM.normal(size=6)
    numbers[:3] = np.nan
    codes = np.nan_to_num(numbers)[:, None]
    found = probed(codes, CELLS, None, numbers)
    assert found.measure == "R²"
    assert found.rows == 197
    assert found.probes[1].score > 0.99
    assert found.probes[3].score > 0.99
    assert found.probes[0].score < 0.01


def test_too_few_rows_or_a_single_class_have_no_probe():
    assert probed(CELLS[:20], CELLS[:20], np.arange(20) % 2, None) is None
    assert probed(CELLS, CELLS, np.zeros(200, int), None) is None
    assert probed(CELLS, CELLS, np.full(200, -1), None) is None


def test_many_classes_are_cut_to_the_most_frequent():
    classes = np.minimum(np.arange(200) // 7, 27)
    assert probed(CELLS, CELLS, classes, None).classes == MOST_CLASSES
