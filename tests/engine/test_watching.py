import threading

import numpy as np

from isthmus import AutoEncoder, Callback, Imputer
from isthmus.engine.watching import watched

X = np.random.default_rng(0).normal(size=(120, 4))


class Names(Callback):
    def __init__(self, name, told):
        self.name, self.told = name, told

    def on_fit_end(self, run):
        self.told.append(self.name)


def train():
    AutoEncoder(2, (4,), epochs=1, random_state=0, callbacks=[]).fit(X)


def test_blocks_within_blocks():
    told = []
    with watched(Names("outer", told)):
        with watched(Names("inner", told)):
            train()
        train()
    train()
    assert told == ["outer", "inner", "outer"]


def test_the_callbacks_of_the_estimator_come_first():
    told = []
    with watched(Names("block", told)):
        AutoEncoder(2, (4,), epochs=1, random_state=0, callbacks=[Names("own", told)]).fit(X)
    assert told == ["own", "block"]


def test_the_networks_of_an_imputer_are_watched():
    told = []
    rows = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    with watched(Names("network", told)):
        Imputer(members=2, random_state=0).fit(rows)
    assert len(told) >= 2


def test_another_thread_is_not_watched():
    told = []
    with watched(Names("block", told)):
        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
    assert told == []


def test_an_error_ends_the_block():
    told = []
    try:
        with watched(Names("block", told)):
            raise KeyError
    except KeyError:
        train()
    assert told == []
