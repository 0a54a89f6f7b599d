import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import FSQ, AutoEncoder, VectorQuantizer

DIGITS = (load_digits().data / 16).astype(np.float32)


def vectors(rows=300, width=4, seed=0):
    return torch.randn(rows, width, dtype=torch.float64, generator=Generator().manual_seed(seed))


def quantizer(rows=300, **parameters):
    code = VectorQuantizer(**{"codes": 16, "width": 2} | parameters).build(4).double()
    code.start(vectors(rows), Generator().manual_seed(1))
    code.generator = Generator().manual_seed(2)
    return code


@pytest.mark.parametrize("gradient", ["rotation", "straight_through"])
def test_each_group_becomes_its_nearest_codeword(gradient):
    code = quantizer(gradient=gradient).eval()
    found = code(vectors())
    groups = vectors().view(-1, 2)
    nearest = torch.cdist(groups, code.codebook).argmin(1)
    torch.testing.assert_close(found.z.view(-1, 2), code.codebook[nearest])
    assert torch.equal(code.indices(vectors()).flatten(), nearest)
    distance = (groups - code.codebook[nearest]).square().view(300, 4).sum(1)
    torch.testing.assert_close(found.terms["commitment"], 0.25 * distance)
    assert torch.equal(code.indices(found.mean), code.indices(vectors()))


def test_straight_through_passes_the_gradient_as_it_is():
    h = vectors().requires_grad_()
    quantizer(gradient="straight_through").eval()(h).z.sum().backward()
    torch.testing.assert_close(h.grad, torch.ones_like(h))


def test_rotation_turns_and_stretches_the_gradient():
    code = quantizer().eval()
    h = vectors(20).requires_grad_()
    found = code(h)
    given = vectors(20, seed=5)
    (slope,) = torch.autograd.grad((found.z * given).sum(), h)
    for v, e, g, s in zip(*(t.view(-1, 2) for t in (h.detach(), found.mean, given, slope)), strict=True):
        # In the plane the rotation from v to e is that by the angle between them.
        angle = torch.atan2(e[1], e[0]) - torch.atan2(v[1], v[0])
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        torch.testing.assert_close(s, e.norm() / v.norm() * turn.T @ g, rtol=1e-6, atol=1e-8)


def test_without_memory_a_step_is_one_of_lloyds():
    code = quantizer(decay=0.0, restart=0.0).train()
    groups = vectors(seed=7).view(-1, 2)
    chosen = torch.cdist(groups, code.codebook).argmin(1)
    before = code.codebook.clone()
    code(vectors(seed=7))
    for word in range(16):
        mine = groups[chosen == word]
        if len(mine):
            torch.testing.assert_close(code.codebook[word], mine.mean(0))
    assert not torch.equal(before, code.codebook)


def test_use_changes_nothing():
    code = quantizer().eval()
    before = {name: value.clone() for name, value in code.state_dict().items()}
    code(vectors(seed=9))
    assert all(torch.equal(before[name], value) for name, value in code.state_dict().items())


def test_codewords_that_stand_for_nothing_start_anew():
    code = quantizer().train()
    code.codebook[0] = code.sums[0] = 1e3
    code.uses[0] = 1e-6
    code(vectors())
    groups = vectors().view(-1, 2)
    assert float((groups - code.codebook[0]).abs().sum(1).min()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("latent", "width"), [(12, 6), (32, 8), (7, 7), (11, 1), (3, 3)])
def test_width_is_the_largest_divisor_up_to_eight(latent, width):
    assert VectorQuantizer().build(latent).width == width


@pytest.mark.parametrize("levels", [(8, 5, 5, 5), (3,), (2, 4), (7, 5, 5, 5, 5)])
def test_fsq_reaches_every_codeword_and_numbers_them_one_to_one(levels):
    code = FSQ(levels).build(len(levels)).double()
    grid = torch.cartesian_prod(*[torch.linspace(-1, 1, n, dtype=torch.float64) for n in levels])
    grid = grid.view(-1, len(levels))
    count = torch.tensor(levels, dtype=torch.float64)
    half, offset = (count - 1) * 1.001 / 2, torch.where(count % 2 == 0, 0.5, 0.0)
    h = torch.atanh((grid * (count - 1) / 2 + 0 * offset) / half) - torch.atanh(offset / half)
    found = code(h)
    numbers = code.indices(h).flatten()
    assert sorted(numbers.tolist()) == list(range(code.codewords))
    assert bool((found.z.abs() <= 1).all())
    assert len(found.z.unique(dim=0)) == code.codewords
    assert bool(code.usage(found).all())


def test_fsq_passes_the_gradient_of_its_bound():
    h = vectors(width=4).requires_grad_()
    FSQ((3, 5, 7, 9)).build(4).double()(h).z.sum().backward()
    levels = torch.tensor([3, 5, 7, 9], dtype=torch.float64)
    half = (levels - 1) * 1.001 / 2
    torch.testing.assert_close(h.grad, (1 - torch.tanh(h.detach()).square()) * half / (levels // 2))


@pytest.mark.parametrize("code", [VectorQuantizer(64, 2), FSQ((8, 8))])
def test_codebook_is_used_on_digits(code):
    model = AutoEncoder(8, code=code, epochs=30, random_state=0).fit(DIGITS)
    indices = model.indices(DIGITS)
    assert indices.shape == (len(DIGITS), 4)
    assert len(np.unique(indices)) >= 0.9 * 64
    assert not hasattr(AutoEncoder(8, epochs=1).fit(DIGITS), "indices")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (VectorQuantizer(1), "codes of VectorQuantizer must be a whole number of at least 2"),
        (VectorQuantizer(8, 3), "must divide the size of the code; got width=3 and latent=4"),
        (VectorQuantizer(gradient="x"), "unknown gradient of VectorQuantizer"),
        (VectorQuantizer(decay=1.0), "decay of VectorQuantizer must be a number in"),
        (FSQ((8, 1)), "levels of FSQ must be whole numbers of at least 2"),
        (FSQ(()), "levels of FSQ must be whole numbers"),
        (FSQ((8, 5, 5)), "the size of the code must be a multiple of the 3 levels of FSQ; got latent=4"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(4)


def codebook_after(h, weight=None):
    module = VectorQuantizer(codes=4, width=2, decay=0.5, restart=0.0).build(4).train()
    module.generator = Generator().manual_seed(0)
    module.start(H, Generator().manual_seed(1))
    module(h, weight)
    return module.codebook


H = torch.randn(30, 4, generator=Generator().manual_seed(5))


def test_codewords_follow_rows_by_their_weights():
    weight = torch.tensor([2.0, 0.0, 1.0] * 10)
    twice = torch.cat([H[weight > 0], H[weight == 2]])
    torch.testing.assert_close(codebook_after(H, weight), codebook_after(twice))
    torch.testing.assert_close(codebook_after(H, torch.full((30,), 0.2)), codebook_after(H))
    assert not torch.allclose(codebook_after(H, weight), codebook_after(H))
