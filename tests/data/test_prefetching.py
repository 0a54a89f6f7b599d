import threading

import pytest

from isthmus.data.prefetching import DEPTH, Prefetcher


@pytest.mark.parametrize("count", [0, 1, DEPTH, DEPTH + 1, 50])
def test_the_same_in_the_same_order(count):
    with Prefetcher(lambda i: i * i, range(count)) as squares:
        assert list(squares) == [i * i for i in range(count)]


def test_by_another_thread():
    with Prefetcher(lambda _: threading.get_ident(), range(5)) as workers:
        found = set(workers)
    assert len(found) == 1
    assert threading.get_ident() not in found


def test_no_further_ahead_than_said():
    taken = []

    def items():
        for i in range(50):
            taken.append(i)
            yield i

    with Prefetcher(abs, items()) as results:
        assert len(taken) == DEPTH
        next(iter(results))
        assert len(taken) == DEPTH + 1


def test_an_error_comes_where_the_result_is_asked_for():
    with Prefetcher(lambda i: 1 / i, [1, 2, 0, 3]) as inverses:
        results = iter(inverses)
        assert [next(results), next(results)] == [1.0, 0.5]
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_the_thread_ends_with_the_block():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Prefetcher(lambda i: 1 / i, [1, 0, *range(1000)]) as results:
        list(results)
    assert threading.active_count() == before
