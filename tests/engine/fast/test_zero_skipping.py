from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Generator

from isthmus import Dense, Linear
from isthmus.core.initialisation import initialise
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.engine.fast import zero_skipping
from isthmus.engine.plan import Plan
from isthmus.engine.trainer import Trainer
from isthmus.parts.composition import compose

F, N = 50, 64


def table() -> scipy.sparse.csr_array:
    return scipy.sparse.random_array(
        (N, F), density=0.01, format="csr", rng=0, dtype=np.float64, data_sampler=lambda size: np.ones(size)
    )


def network(likelihood: str = "bernoulli", **parts):
    built = compose(F, 3, **({"encoder": Dense((8,)), "likelihood": likelihood} | parts)).double()
    initialise(built, "orthogonal", Generator().manual_seed(0))
    return built


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(zero_skipping, "LEAST_PRODUCTS", 1)


def rows_of(X, scaling: AffineScaling | None = None) -> Rows:
    return Rows(X, None, scaling, torch.float64)


def plan(**given) -> Plan:
    return Plan(**({"epochs": 3, "batch_size": 16, "learning_rate": 0.01} | given))


def shifted(by: float) -> AffineScaling:
    return AffineScaling(torch.full((F,), by, dtype=torch.float64), torch.full((F,), 2.0, dtype=torch.float64))


CASES = {
    "sparse": ({}, {}, None, True),
    "scaled": ({}, {}, shifted(0.0), True),
    "linear": ({"encoder": Linear()}, {}, None, True),
    "log of counts": ({"likelihood": "poisson"}, {}, None, True),
    "shares of counts": ({"likelihood": "multinomial"}, {}, None, True),
    "centred": ({}, {}, shifted(1.0), False),
    "corrupted": ({"corruption": "gaussian_noise"}, {}, None, False),
    "in bfloat16": ({}, {"precision": "bfloat16"}, None, False),
    "compiled": ({}, {"compile": True}, None, False),
}


@pytest.mark.parametrize(("parts", "settings", "scaling", "skips"), CASES.values(), ids=CASES)
def test_where_zeros_are_skipped(parts, settings, scaling, skips):
    built = network(**parts)
    assert zero_skipping.choose(built, rows_of(table(), scaling), plan(**settings)) is skips
    assert built.encoder.skips_zeros is skips
    zero_skipping.stop(built)
    assert not built.encoder.skips_zeros


def test_not_for_dense_tables_fuller_ones_small_products_and_other_encoders(monkeypatch):
    built = network()
    assert not zero_skipping.choose(built, rows_of(table().toarray()), plan())
    assert not zero_skipping.choose(built, rows_of(scipy.sparse.csr_array(np.ones((N, F)))), plan())
    assert not zero_skipping.choose(SimpleNamespace(encoder=torch.nn.Identity()), rows_of(table()), plan())
    zero_skipping.stop(SimpleNamespace(encoder=torch.nn.Identity()))
    monkeypatch.setattr(zero_skipping, "LEAST_PRODUCTS", 16 * 8 * F)
    assert zero_skipping.choose(built, rows_of(table()), plan())
    assert not zero_skipping.choose(built, rows_of(table()), plan(batch_size=15))


@pytest.mark.parametrize("likelihood", ["bernoulli", "poisson", "multinomial"])
@pytest.mark.parametrize("matmul", ["torch", "numpy"])
def test_training_is_that_of_dense_rows(likelihood, matmul):
    trained, words = [], []
    for X in (table(), table().toarray()):
        built = network(likelihood)
        settings = plan(matmul=matmul, threads=[1])
        trainer = Trainer(
            built, rows_of(X), torch.arange(N - 8), torch.arange(N - 8, N), settings, Generator().manual_seed(0)
        )
        words.append(trainer.report.steps)
        losses = trainer.fit()["loss"]
        assert not built.encoder.skips_zeros
        trained.append((torch.as_tensor(losses), *built.state_dict().values()))
    assert words[0] == f"{words[1]}, zeros skipped in the first layer"
    for one, other in zip(*trained, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9, equal_nan=True)
