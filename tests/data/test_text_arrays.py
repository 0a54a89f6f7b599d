import numpy as np
import pytest

from isthmus.data.text_arrays import number, numbers_of_texts

X = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("dtype", ["U", "S", object])
def test_number_texts_are_numbers(dtype):
    texts = X.astype("U").astype(dtype)
    np.testing.assert_array_equal(numbers_of_texts(texts), X)
    np.testing.assert_array_equal(numbers_of_texts(texts), texts.astype(float))


def test_objects_may_be_mixed():
    given = np.array([[1, "2"], [b"3.5", None], [True, " 4e1 "]], dtype=object)
    np.testing.assert_array_equal(numbers_of_texts(given), [[1, 2], [3.5, np.nan], [1, 40]])


@pytest.mark.parametrize("gap", ["", " ", "nan", "NaN", "N/A", "-", "?", "null", "None"])
def test_gaps(gap):
    np.testing.assert_array_equal(numbers_of_texts(np.array([["1", gap], ["2", "3"]])), [[1, np.nan], [2, 3]])


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.astype(object),
        np.array([["1", "red"]]),
        np.array([["1,5", "2"]]),
        np.array([["", "-"]]),
        np.array(["1", "2"]),
        np.array([[{"a": 1}, "2"]], dtype=object),
    ],
    ids=str,
)
def test_other_arrays_stay_as_they_are(given):
    assert numbers_of_texts(given) is given


def test_bytes_of_words_are_refused():
    with pytest.raises(ValueError, match=r"X holds bytes that are not numbers; give numpy.char.decode\(X, 'utf-8'\)"):
        numbers_of_texts(np.array([[b"red", b"1"]]))


def test_numbers():
    assert number(b"\xff") is None
    assert number([]) is None
    assert number("1e3") == 1000
