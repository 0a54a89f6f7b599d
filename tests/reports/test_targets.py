import numpy as np

from isthmus.reports.targets import LONGEST_CLASS, Target


def test_few_values_are_classes_in_order():
    target = Target.of("digit", [10, 9, 9, None, 2])
    assert target.classes == ("2", "9", "10")
    assert target.codes.tolist() == [2, 1, 1, -1, 0]
    assert target.texts[3] == "missing"
    assert target.numbers is None


def test_many_numbers_are_numbers():
    target = Target.of("price", [*range(20), float("nan")])
    np.testing.assert_array_equal(target.numbers, [*range(20), np.nan])
    assert target.classes == ()


def test_many_classes_come_by_frequency_and_long_names_are_cut():
    names = ["b" * 99] * 3 + [f"a{k:02d}" for k in range(30)]
    target = Target.of("name", names)
    assert len(target.classes[0]) == LONGEST_CLASS
    assert target.codes[:4].tolist() == [0, 0, 0, 1]


def test_truth_values_and_a_target_without_values():
    assert Target.of("yes", [True, False]).classes == ("False", "True")
    nothing = Target.of("none", [None, float("nan")])
    assert nothing.codes.tolist() == [-1, -1]
    assert nothing.classes == ()
