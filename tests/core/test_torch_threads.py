import threading

import pytest
import torch

from isthmus.core.torch_threads import threads, use_threads


def in_new_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture(autouse=True)
def two():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_that_start_later_keep_theirs():
    use_threads(1)
    assert torch.get_num_threads() == 1
    assert in_new_thread(torch.get_num_threads) == 2
    use_threads(2)


def test_another_thread_changes_its_own_alone():
    def other():
        with threads(1):
            return torch.get_num_threads()

    assert in_new_thread(other) == 1
    assert torch.get_num_threads() == 2
    assert in_new_thread(torch.get_num_threads) == 2


def test_it_is_put_back_after_an_error():
    with pytest.raises(KeyError), threads(1):
        raise KeyError
    assert torch.get_num_threads() == 2


def test_none_keeps_it():
    with threads(None):
        assert torch.get_num_threads() == 2
