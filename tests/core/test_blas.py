import pytest

from isthmus.core.blas import blas_threads, libraries


def test_numpy_and_scipy_are_found():
    assert libraries(), "numpy brings one"


def test_threads_are_put_back_even_after_an_error():
    def threads():
        return [library.get_num_threads() for library in libraries()]

    def failing():
        with blas_threads(1):
            assert set(threads()) == {1}
            raise KeyError

    before = threads()
    with pytest.raises(KeyError):
        failing()
    assert threads() == before
