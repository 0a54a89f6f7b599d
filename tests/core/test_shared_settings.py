import threading

from isthmus.core.shared_settings import SharedSetting


def test_the_last_to_leave_puts_the_value_back():
    value = [7]
    setting = SharedSetting(lambda: value[0], lambda given: value.__setitem__(0, given), lambda before: 1)
    inside, go = threading.Event(), threading.Event()

    def other():
        with setting.held():
            inside.set()
            go.wait()

    thread = threading.Thread(target=other)
    with setting.held():
        assert value == [1]
        thread.start()
        inside.wait()
    assert value == [1], "the other thread is still inside"
    go.set()
    thread.join()
    assert value == [7]


def test_a_forked_process_has_the_users_of_its_one_thread():
    value = [7]
    setting = SharedSetting(lambda: value[0], lambda given: value.__setitem__(0, given), lambda before: 1)
    inside, go = threading.Event(), threading.Event()

    def other():
        with setting.held():
            inside.set()
            go.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    users = setting.users
    setting.forked()
    assert (users, setting.users, value) == (1, 0, [7])
    setting.users = users
    go.set()
    thread.join()


def test_blocks_within_blocks():
    value = [7]
    setting = SharedSetting(lambda: value[0], lambda given: value.__setitem__(0, given), lambda before: 1)
    with setting.held():
        with setting.held():
            assert setting.here == 2
        assert value == [1]
    assert (setting.here, value) == (0, [7])
