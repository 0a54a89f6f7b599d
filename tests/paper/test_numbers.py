import pytest

from isthmus.paper import numbers


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(1234.5, 1, "1,234.5"), (-0.04, 1, "0.0"), (-1.25, 1, "−1.2"), (-0.0003, 4, "−0.0003"), (1068820, 0, "1,068,820")],
)
def test_decimals_have_true_minus_signs_and_no_negative_zero(value, places, text):
    assert numbers.decimal(value, places) == text


def test_quantities_have_one_format():
    assert numbers.error(0.0083) == "0.00830"
    assert numbers.percent(0.1234) == "12.3 %"
    assert numbers.decibels(20.83) == "20.8 dB"
    assert [numbers.seconds(value) for value in (-0.1, 0.0, 0.04, 0.06, 1234.0)] == ["<0.1"] * 3 + ["0.1", "1,234.0"]


def test_one_thing_is_in_the_singular():
    assert [numbers.counted(count, "epoch") for count in (1, 2, 1000)] == ["1 epoch", "2 epochs", "1,000 epochs"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1.1e-16, "1 × 10⁻¹⁶"), (9.7e-3, "1 × 10⁻²"), (4.2e5, "4 × 10⁵")]
)
def test_tiny_numbers_are_a_digit_times_a_power(value, text):
    assert numbers.magnitude(value).replace("\u00a0", " ") == text


def test_several_values_are_shown_with_their_spread():
    assert numbers.mean_and_spread([0.1234], 3) == "0.123"
    assert numbers.mean_and_spread([1.0, 3.0], 1) == "2.0 ± 1.4"


def test_words_become_a_list():
    assert [numbers.listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
