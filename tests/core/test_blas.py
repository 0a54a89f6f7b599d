from isthmus.core.blas import BLAS_THREADS, counts, libraries, use


def test_numpy_and_scipy_are_found():
    assert libraries(), "numpy brings one"


def test_all_libraries_have_one_thread_while_it_is_held():
    before = counts()
    use([2] * len(before))
    try:
        with BLAS_THREADS.held():
            assert set(counts()) == {1}
        assert set(counts()) == {2}
    finally:
        use(before)
