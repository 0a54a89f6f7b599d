"""A process shared with others: threads, modes, forks, failures change nothing, and nothing is left changed."""

import gc
import multiprocessing
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from threadpoolctl import threadpool_info

from isthmus import AnomalyDetector, AutoEncoder, Callback, Imputer, load, zoo
from isthmus.core import blas

X = np.random.default_rng(0).normal(size=(240, 8)) @ np.random.default_rng(1).normal(size=(8, 8))
FRAME = pd.DataFrame(X[:120], columns=list("abcdefgh")).assign(group=np.where(X[:120, 0] > 0, "u", "v"))
FRAME.iloc[3, 2] = np.nan
SETTINGS = {"epochs": 3, "random_state": 0, "floor": "tell"}


def new_thread():
    """How many threads of torch a new Python thread begins with."""
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def counts():
    pools = {(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()}
    return torch.get_num_threads(), new_thread(), pools


@pytest.fixture
def several_threads():
    """A process in which torch and BLAS have two threads, whatever the environment says."""
    before, blas_before = torch.get_num_threads(), blas.counts()
    torch.set_num_threads(2)
    blas.use([2] * len(blas_before))
    yield
    torch.set_num_threads(before)
    blas.use(blas_before)


def dense():
    return AutoEncoder(3, **SETTINGS).fit(X).score_samples(X)


def variational():
    return zoo.variational(2, **SETTINGS).fit(X).score_samples(X)


def mixed():
    return AutoEncoder(2, **SETTINGS).fit(FRAME).score_samples(FRAME)


def detected():
    detector = AnomalyDetector(method=("mahalanobis", "neighbours"), calibration_fraction=0.2, random_state=0)
    return detector.fit(X).pvalues(X)


@pytest.mark.usefixtures("several_threads")
def test_eight_threads_at_once_compute_the_bits_of_one_after_the_other():
    jobs = [dense, variational, mixed, detected] * 2
    alone = {job: job() for job in jobs[:4]}
    before = counts()
    with warnings.catch_warnings():
        # Filters of warnings belong to the process: a fit that ignores some would show, or hide, those of another.
        warnings.simplefilter("ignore")
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda job: job(), jobs))
    for job, result in zip(jobs, found, strict=True):
        np.testing.assert_array_equal(result, alone[job], err_msg=job.__name__)
    assert counts() == before


@pytest.mark.usefixtures("several_threads")
def test_eight_threads_use_one_model():
    model = AutoEncoder(3, **SETTINGS).fit(X)
    uses = [model.transform, model.score_samples, model.reconstruct, model.log_likelihood] * 2
    alone, before = [use(X) for use in uses], counts()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda use: use(X), uses * 4))
    for result, expected in zip(found, alone * 4, strict=True):
        np.testing.assert_array_equal(result, expected)
    assert counts() == before


def inference():
    return torch.inference_mode()


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16)


def other_device():
    return torch.device("meta")


@pytest.mark.parametrize("mode", [torch.no_grad, inference, autocast, other_device])
@pytest.mark.parametrize("job", [dense, variational, mixed, detected])
def test_modes_of_the_caller_change_nothing(mode, job):
    expected = job()
    with mode():
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
        found = job()
        device = torch.get_default_device()
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")) == modes
    np.testing.assert_array_equal(found, expected)
    assert (device.type == "meta") == (mode is other_device)


def test_the_number_type_of_the_caller_changes_nothing():
    expected = dense(), mixed()
    torch.set_default_dtype(torch.float64)
    try:
        found = dense(), mixed()
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", [torch.no_grad, inference, autocast, other_device])
def test_loaded_and_trained_further_in_a_mode_of_the_caller(mode, tmp_path):
    AutoEncoder(3, **SETTINGS).partial_fit(X).save(tmp_path / "model.isthmus")
    expected = load(tmp_path / "model.isthmus").partial_fit(X).transform(X)
    with mode():
        found = load(tmp_path / "model.isthmus").partial_fit(X).transform(X)
    np.testing.assert_array_equal(found, expected)


def test_draws_and_batches_do_not_leave_the_modes_of_isthmus_between_two_items():
    imputer = Imputer(members=1, methods=("gaussian",), random_state=0).fit(FRAME)
    with torch.no_grad():
        for _ in imputer.draws(FRAME, 2, random_state=0):
            assert not torch.is_grad_enabled()


def used_in_child(model, pipe):
    pipe.send(model.transform(X))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_after_a_fit_does_not_hang():
    model = AutoEncoder(3, **SETTINGS).fit(X)
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=used_in_child, args=(model, sending))
    child.start()
    try:
        assert receiving.poll(60), "the child hangs"
        np.testing.assert_array_equal(receiving.recv(), model.transform(X))
    finally:
        child.kill()
        child.join()


class FailsError(Exception):
    pass


class Fails(Callback):
    def on_step_end(self, run):
        if run.step == 2:
            raise FailsError


def failing_batches():
    yield X[:100]
    raise FailsError


def later_failing_batches():
    """Batches that can be read until training has begun."""
    passes = []

    def batches():
        passes.append(1)
        yield X[:120]
        if len(passes) > 2:
            raise FailsError
        yield X[120:]

    return batches


def left_over():
    """What a failure may leave: threads, descriptors."""
    folder = "/proc/self/fd"
    return threading.active_count(), len(os.listdir(folder)) if os.path.isdir(folder) else 0


@pytest.mark.parametrize("source", ["array", "file", "parquet", "batches", "failing", "failing later"])
def test_a_failure_leaves_no_thread_and_no_descriptor(source, tmp_path):
    np.save(tmp_path / "rows.npy", X)
    pytest.importorskip("pyarrow")
    pd.DataFrame(X, columns=list("abcdefgh")).to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    rows = {
        "array": X,
        "file": tmp_path / "rows.npy",
        "parquet": tmp_path / "rows.parquet",
        "batches": lambda: iter(np.array_split(X, 3)),
        "failing": failing_batches,
        "failing later": later_failing_batches(),
    }[source]
    kept = []

    def failing():
        try:
            AutoEncoder(2, callbacks=[] if "failing" in source else [Fails()], **SETTINGS).fit(rows)
        except FailsError as error:
            kept.append(error)  # with its frames, as a debugger keeps it
        else:
            pytest.fail("nothing failed")

    failing()
    if source == "failing later":
        rows = later_failing_batches()
    before = left_over()
    failing()
    found = left_over()
    assert found[0] == before[0], [thread.name for thread in threading.enumerate()]
    # An open file is part of the table that the kept error's frames hold.
    assert found[1] - before[1] <= (1 if source in ("file", "parquet") else 0)
    kept.clear()
    gc.collect()
    assert left_over()[1] <= before[1]
