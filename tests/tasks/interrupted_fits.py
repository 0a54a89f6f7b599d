"""Interrupts fits of one kind at several moments, in a process of its own, and prints what came of each as JSON.

Run as `python interrupted_fits.py KIND MOMENTS first|later`. "first" interrupts the first fit of a forked process, in
which torch has imported nothing yet that it imports when it is needed; "later" interrupts fits in one process.
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pandas as pd

from isthmus import AnomalyDetector, AutoEncoder, Callback, Imputer, TrainingWarning, zoo

BEGUN = []
"""What told that its training began."""


class Begins(Callback):
    """Notes that the training of a single model began, after which it keeps its best weights."""

    def on_fit_start(self, run):
        BEGUN.append(self)

    def on_model_ready(self, run, model):
        # A signal between here and the return of `fit` is raised; the model is there all the same.
        BEGUN.clear()


RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 6)) @ RNG.normal(size=(6, 6))
FRAME = pd.DataFrame(X[:120], columns=list("abcdef")).assign(g=np.where(X[:120, 0] > 0, "u", "v"))
FRAME.iloc[3, 2] = FRAME.iloc[7, 4] = np.nan
SETTINGS = {"epochs": 30, "random_state": 0, "floor": "tell", "callbacks": [Begins()]}


def batches():
    """Batches of the rows, as a user's own function gives them."""
    yield from np.array_split(X, 4)


def detector():
    """A detector that trains an autoencoder."""
    return AnomalyDetector(method=("residual", "denoiser"), calibration_fraction=None, random_state=0)


KINDS = {
    "dense": lambda: AutoEncoder(2, **SETTINGS).fit(X),
    "autograd": lambda: zoo.variational(2, **SETTINGS).fit(X),
    "adversarial": lambda: zoo.adversarial(2, **SETTINGS).fit(X),
    "convolutional": lambda: zoo.convolutional((2, 3), latent=2, epochs=3, random_state=0).fit(X),
    "frame": lambda: AutoEncoder(2, **SETTINGS).fit(FRAME),
    "stream": lambda: AutoEncoder(2, **SETTINGS).fit(batches),
    "without validation": lambda: AutoEncoder(2, validation=0, **SETTINGS).fit(X),
    "partial_fit": lambda: AutoEncoder(2, **SETTINGS).partial_fit(X),
    "cross-validated": lambda: AutoEncoder(2, random_state=0, epochs=40, callbacks=[Begins()]).fit(X[:60]),
    "layerwise": lambda: AutoEncoder(2, init="layerwise", **SETTINGS).fit(X),
    "latent": lambda: AutoEncoder("auto", **SETTINGS).fit(X),
    "detector": lambda: detector().fit(X),
    "cross-conformal": lambda: AnomalyDetector(method="residual", setting="clean", random_state=0).fit(X[:60]),
    "imputer": lambda: Imputer(members=2, methods=("autoencoder", "gaussian"), random_state=0).fit(FRAME),
}


def rows_of(model):
    """Rows of the kind that a model was fitted to."""
    return FRAME if "g" in getattr(model, "feature_names_in_", ()) else X


def bits(model):
    """Everything that a fitted model computes, in short."""
    if isinstance(model, Imputer):
        found = model.transform(FRAME).to_numpy(dtype=str)
        return hashlib.md5("".join(found.ravel()).encode()).hexdigest()
    return hashlib.md5(np.asarray(model.score_samples(rows_of(model))).tobytes()).hexdigest()


def interrupted(fit, after):
    """Fit, and send this process SIGINT after some seconds; return what came of it."""
    sender = threading.Thread(target=lambda: (time.sleep(after), os.kill(os.getpid(), signal.SIGINT)))
    model = None
    BEGUN.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            sender.start()
            model = fit()
            outcome = "fitted"
            sender.join()
            time.sleep(0.05)  # a signal that came after the fit is raised here
        except KeyboardInterrupt:
            outcome = "raised" if model is None else "fitted"
    sender.join()
    assert outcome != "raised" or not BEGUN, "a training that began is kept"
    told = any("interrupted" in str(one.message) for one in caught if issubclass(one.category, TrainingWarning))
    if told:
        outcome = "kept"
        assert isinstance(model, AutoEncoder), "only a single model keeps what it has"
        assert np.isfinite(model.score_samples(rows_of(model))).all()
    return outcome


def later(kind, moments):
    """Interrupt fits after a whole one; return the outcomes, and whether later fits give the same bits."""
    fit = KINDS[kind]
    fit()  # imports
    start = time.perf_counter()
    expected = bits(fit())
    seconds = time.perf_counter() - start
    outcomes, threads = [], threading.active_count()
    for moment in range(moments):
        outcomes.append(interrupted(fit, seconds * (moment + 0.5) / moments))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert bits(fit()) == expected, "the bits of a fit after interruptions"
    assert threading.active_count() == threads, "threads"
    return outcomes


def first(kind, moments):
    """Interrupt the first fit of one process after the other; return the outcomes."""
    fit, seconds, outcomes = KINDS[kind], None, []
    for moment in range(-1, moments):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            start = time.perf_counter()
            outcome = "" if seconds is None else interrupted(fit, seconds * (moment + 0.5) / moments)
            found = bits(fit())
            os.write(writing, json.dumps([outcome, found, time.perf_counter() - start]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        outcome, found, taken = json.loads(told)
        if seconds is None:
            seconds, expected = taken, found
        else:
            assert found == expected, "the bits of a fit after an interruption"
            outcomes.append(outcome)
    return outcomes


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps({"first": first, "later": later}[sys.argv[3]](sys.argv[1], int(sys.argv[2]))))
