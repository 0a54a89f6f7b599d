import numpy as np
import pytest
import torch
from torch import Generator

from isthmus import AutoEncoder, Bernoulli, Categorical, Compute, Gaussian, Masking, Mixed, NegativeBinomial, StudentT
from isthmus.engine.fast import tuned_steps
from isthmus.engine.fast.buffers import buffer
from isthmus.engine.fast.matmul import TorchMatmul
from isthmus.engine.fast.mixed_loss import MixedLoss

B = 40
FAMILIES = (Gaussian("columns"), StudentT(), Bernoulli(), Categorical((3, 2)), NegativeBinomial())
CELLS = (2, 1, 2, 5, 1)


def likelihood_and_rows():
    """Return a likelihood in training that has looked at rows with gaps, and the rows."""
    generator = Generator().manual_seed(0)
    x = torch.randn(B, sum(CELLS), dtype=torch.float64, generator=generator)
    x[:, 3:5] = (x[:, 3:5] > 0).double()
    for start, size in ((5, 3), (8, 2)):
        x[:, start : start + size] = torch.eye(size).repeat(B, 1)[:B]
    x[:, 10] = torch.poisson(2 * x[:, 0].exp(), generator=generator)
    likelihood = Mixed(FAMILIES, CELLS).build(sum(CELLS)).double()
    group = torch.tensor(likelihood.feature_group)
    x[(torch.rand(B, int(group.max()) + 1, generator=generator) < 0.2)[:, group]] = torch.nan
    likelihood.look(x)
    return likelihood.train(), x


@pytest.mark.parametrize("weighed", [False, True])
def test_loss_gradient_and_running_mean_are_those_of_the_likelihood(weighed):
    likelihood, x = likelihood_and_rows()
    generator = Generator().manual_seed(1)
    cells = torch.rand(x.shape, dtype=x.dtype, generator=generator) if weighed else None
    at = torch.randn(B, likelihood.outputs, dtype=torch.float64, generator=generator)
    loss = MixedLoss(likelihood)
    theta, spare = (buffer(B, likelihood.outputs, at, TorchMatmul()) for _ in range(2))
    theta.matrix.copy_(at)
    values = []
    for _ in range(3):
        value, gradient = loss(x, theta, spare, cells)
        values.append(value)
    before = likelihood.loss_ratio.clone()
    loss.update_likelihood(torch.stack(values))
    moved = likelihood.loss_ratio.clone()
    likelihood.loss_ratio.copy_(before)

    # Autograd through every operation.
    traced = at.clone().requires_grad_()
    there = likelihood.there(x) if cells is None else likelihood.there(x) * cells
    total = 2 * (likelihood.deviance_loss(x, traced) * likelihood.column_weight * there).sum(1)
    ratio = total.detach().mean() / there[:, likelihood.first].sum(1).mean()
    expected = (0.5 * total / ratio).mean()
    for _ in range(3):
        whole = likelihood.loss(x, at, cells=cells).mean()
    torch.testing.assert_close(loss.losses(value[None])[0], whole)
    torch.testing.assert_close(gradient.matrix, torch.autograd.grad(expected, traced)[0])
    torch.testing.assert_close(moved, likelihood.loss_ratio)


def test_the_encoder_sees_the_same():
    likelihood, x = likelihood_and_rows()
    before = x.clone()
    torch.testing.assert_close(MixedLoss(likelihood).encoder_input(x), likelihood.encoder_input(x))
    torch.testing.assert_close(x, before, equal_nan=True)


def test_outputs_that_are_not_finite_are_no_warning():
    likelihood, x = likelihood_and_rows()
    loss = MixedLoss(likelihood)
    theta, spare = (buffer(B, likelihood.outputs, x, TorchMatmul()) for _ in range(2))
    theta.matrix.fill_(torch.inf)
    value, _ = loss(x, theta, spare)
    assert not torch.isfinite(value).all()


@pytest.mark.parametrize("corruption", [None, Masking(0.3, value=None, score="hidden"), Masking(0.2, value=None)])
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-7), ("float32", 1e-3)])
def test_training_is_that_of_autograd(corruption, precision, tolerance, monkeypatch):
    """Adam makes steps of rounding errors where a gradient should be 0, and in float32 these are visible."""
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    hidden = random.normal(size=400)
    frame = pandas.DataFrame(
        {
            "real": hidden + 0.3 * random.normal(size=400),
            "positive": np.exp(hidden),
            "count": random.poisson(np.exp(1 + 0.5 * hidden)),
            "flag": hidden > 0,
            "kind": np.where(hidden > 0, "a", np.where(random.random(400) > 0.5, "b", "c")),
        }
    ).astype({"flag": "boolean", "count": "Int64"})
    frame = frame.mask(random.random(frame.shape) < 0.1)

    def trained():
        compute = Compute(threads=1, precision=precision, matmul="torch")
        model = AutoEncoder(2, (8,), corruption=corruption, epochs=4, batch_size=64, random_state=0, compute=compute)
        return model.fit(frame)

    fast = trained()
    np.testing.assert_array_equal(trained().transform(frame), fast.transform(frame))
    monkeypatch.setattr(tuned_steps, "fused_backward", lambda *_: None)
    slow = trained()
    assert fast.fit_report_.steps == "fused backward pass"
    assert slow.fit_report_.steps == "autograd"
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(fast.history_[name], slow.history_[name], rtol=tolerance)
    assert fast.score(frame) == pytest.approx(slow.score(frame), rel=10 * tolerance)
