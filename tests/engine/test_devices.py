import os

import pytest
import torch

from isthmus.engine import devices

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


def pretend(monkeypatch, cuda=0, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "expected"), [(0, False, "cpu"), (0, True, "mps"), (2, True, "cuda")])
def test_auto_takes_cuda_then_mps_then_the_processor(monkeypatch, cuda, mps, expected):
    pretend(monkeypatch, cuda, mps)
    assert devices.device("auto").type == expected


def test_by_name(monkeypatch):
    pretend(monkeypatch, cuda=2, mps=True)
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        assert devices.device(name) == torch.device(name)
        assert devices.device(torch.device(name)) == torch.device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta"])
def test_not_on_this_machine(monkeypatch, name):
    pretend(monkeypatch)
    with pytest.raises(ValueError, match=f"device='{name}' is not available on this machine; take device='auto'"):
        devices.device(name)


def test_a_gpu_too_many(monkeypatch):
    pretend(monkeypatch, cuda=2)
    with pytest.raises(ValueError, match=r"device='cuda:2' asks for a GPU beyond the 2 of this machine"):
        devices.device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", None, [], 1.5])
def test_unknown_device(monkeypatch, name):
    pretend(monkeypatch)
    with pytest.raises(ValueError, match=r"unknown device .*one of: 'auto', 'cpu', 'cuda', 'cuda:0', 'mps'"):
        devices.device(name)


@pytest.mark.parametrize(
    ("precision", "on", "wide", "cells", "expected"),
    [
        ("auto", CPU, True, devices.SMALL, torch.float64),
        ("auto", CPU, True, devices.SMALL + 1, torch.float32),
        ("auto", CPU, False, 1, torch.float32),
        ("auto", CUDA, True, 1, torch.float64),
        ("auto", MPS, True, 1, torch.float32),
        ("float32", CPU, True, 1, torch.float32),
        ("float64", CPU, False, 10**9, torch.float64),
        ("bfloat16", CPU, True, 1, torch.float32),
        ("float32", MPS, True, 1, torch.float32),
    ],
)
def test_number_type(precision, on, wide, cells, expected):
    assert devices.number_type(precision, on, wide, cells) == expected


def test_number_type_that_the_device_has_not():
    with pytest.raises(ValueError, match="precision='float64' is not available on device='mps'; take 'float32'"):
        devices.number_type("float64", MPS, True, 1)


@pytest.mark.parametrize("precision", ["float31", "half", None, 32])
def test_unknown_precision(precision):
    with pytest.raises(ValueError, match=r"unknown precision .*'auto', 'float32', 'float64', 'bfloat16'"):
        devices.number_type(precision, CPU, True, 1)
    with pytest.raises(ValueError, match="did you mean 'float32'"):
        devices.number_type("float31", CPU, True, 1)


@pytest.mark.parametrize("precision", ["auto", "float32", "float64"])
def test_products_are_made_in_the_numbers_own_type(precision):
    with devices.arithmetic(precision, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_bfloat16_products():
    with devices.arithmetic("bfloat16", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_memory():
    found = devices.memory()
    assert found is None or found > 2**26


@pytest.mark.parametrize("error", [ValueError, OSError, AttributeError])
def test_memory_that_cannot_be_told(monkeypatch, error):
    def refuse(name):
        raise error(name)

    monkeypatch.setattr(os, "sysconf", refuse)
    assert devices.memory() is None


def test_thread_count():
    assert devices.thread_count("auto", devices.SHORT_STEP - 1) == 1
    assert devices.thread_count("auto", devices.SHORT_STEP) is None
    assert devices.thread_count(None, 1) is None
    assert devices.thread_count(3, 1) == devices.thread_count(3, 1e12) == 3


@pytest.mark.parametrize("asked", [0, -1, 1.5, True, "all"])
def test_thread_count_that_cannot_be(asked):
    with pytest.raises(ValueError, match=r"threads .* a whole number of at least 1; got"):
        devices.thread_count(asked, 1)
