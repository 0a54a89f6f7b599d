import pytest

from isthmus.paper import equations


def test_the_equations_hold():
    assert equations.minimum_of_squared_error().holds
    assert equations.minimum_of_cross_entropy().holds


def test_a_wrong_gradient_is_found():
    found = equations.check(equations.trained_squared_error, equations.squared_error, lambda x, guess: -(x - guess))
    assert not equations.are_exact(found)
    assert "no proof of a minimum" in equations.in_words(4, found)


def test_losses_and_derivatives_agree_with_their_formulas():
    for found in (equations.squared_error_checks(), equations.cross_entropy_checks()):
        assert found.value < 1e-12
        assert found.numerical < 1e-5


def test_every_equation_is_tested_in_words():
    tested = equations.tested({"Figure 6": [784, 8, 4, 8, 784]})
    assert list(tested) == [1, 2, 3, 4, 5, 6, 7]
    assert "m = 784, p = 4 (Figure 6)" in tested[1]
    assert all(text.endswith(".") for text in tested.values())


@pytest.mark.parametrize(
    ("size", "words"), [(0.0, "are equal to the last digit"), (2e-15, "differ by at most 2 × 10⁻¹⁵")]
)
def test_differences_in_words(size, words):
    assert equations.differ(size).replace("\u00a0", " ") == words
