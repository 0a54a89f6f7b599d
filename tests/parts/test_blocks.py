import math

import pytest
import torch
from torch import Generator

from isthmus import Blocks, Convolutional
from isthmus.parts.composition import compose

ROWS = 2000
ONLY = {
    "blocks": {"strokes": 0, "pixels": 0},
    "strokes": {"blocks": 0, "pixels": 0},
    "pixels": {"blocks": 0, "strokes": 0},
}


def corrupted(shape=(12, 10), seed=0, rows=ROWS, **parameters):
    features = math.prod(shape)
    module = Blocks(shape=shape, **parameters).build(features)
    module.generator = Generator().manual_seed(seed)
    return module(torch.ones(rows, features))


def test_a_block_is_a_rectangle_of_sides_within_the_given_shares():
    masks = corrupted(size=(0.3, 0.5), **ONLY["blocks"]).mask.view(ROWS, 12, 10)
    for extent, side in ((masks.amax(2), 12), (masks.amax(1), 10)):
        lengths = extent.sum(1)
        assert lengths.min() == round(0.3 * side)
        assert lengths.max() == round(0.5 * side)
        # One stretch: it begins once.
        assert ((extent[:, 1:] > extent[:, :-1]).sum(1) + extent[:, 0] == 1).all()
    assert torch.equal(masks.sum((1, 2)), masks.amax(2).sum(1) * masks.amax(1).sum(1))


@pytest.mark.parametrize("kind", ["blocks", "strokes"])
def test_every_pixel_is_hidden_at_times_and_seen_at_times(kind):
    share = corrupted(**ONLY[kind]).mask.mean(0)
    assert (share > 0).all()
    assert (share < 1).all()


def test_a_stroke_hangs_together():
    mask = corrupted(rows=200, **ONLY["strokes"]).mask.view(200, 1, 12, 10)
    reached = torch.zeros_like(mask).flatten(1)
    reached.scatter_(1, mask.flatten(1).argmax(1, keepdim=True), 1)
    reached = reached.view_as(mask)
    for _ in range(40):
        reached = torch.nn.functional.max_pool2d(reached, 3, 1, 1) * mask
    assert torch.equal(reached, mask)


def test_single_pixels_are_hidden_at_a_rate_drawn_for_each_image():
    share = corrupted((40, 40), rows=500, rate=(0.2, 0.6), **ONLY["pixels"]).mask.mean(1)
    assert 0.15 < share.min() < 0.25
    assert 0.55 < share.max() < 0.65


def test_odds_are_the_shares_of_the_kinds():
    # A block of the whole image, no pixels, and strokes, which hide some of it.
    shares = corrupted(blocks=2, strokes=1, pixels=1, size=(1, 1), rate=(0, 0)).mask.mean(1)
    deviation = 5 / math.sqrt(ROWS)
    assert abs((shares == 1).float().mean() - 0.5) < deviation
    assert abs((shares == 0).float().mean() - 0.25) < deviation


def test_all_channels_of_a_pixel_are_hidden_together():
    mask = corrupted((6, 5, 3), rows=50).mask.view(50, 30, 3)
    assert (mask == mask[..., :1]).all()


def test_hidden_entries_are_shown_as_zero_and_the_others_as_they_are():
    seen, mask, _ = corrupted(rows=50)
    assert torch.equal(seen, 1 - mask)


def test_each_image_weighs_what_its_entries_do():
    _, mask, cells = corrupted()
    assert torch.equal(cells > 0, mask > 0)
    torch.testing.assert_close(cells.sum(1)[mask.any(1)], torch.full((int(mask.any(1).sum()),), 120.0))
    assert corrupted(score="all").cells is None


def test_the_same_seed_draws_the_same_holes():
    assert torch.equal(corrupted(seed=1).mask, corrupted(seed=1).mask)
    assert not torch.equal(corrupted(seed=1).mask, corrupted(seed=2).mask)


def test_a_signal_is_an_image_of_one_line():
    mask = corrupted((1, 50), rows=300, **ONLY["blocks"]).mask
    assert mask.any(1).all()
    assert not mask.all(1).any()


def test_marks_are_inputs_of_a_dense_encoder_and_channels_of_a_convolutional_one():
    dense = compose(16, 3, encoder="dense", corruption=Blocks(shape=(4, 4)))
    assert dense.encoder.weights[0].shape[1] == 32
    convolutional = compose(48, 3, encoder=Convolutional((4, 4, 3)), corruption=Blocks(shape=(4, 4, 3)))
    assert convolutional.encoder.convolutions[0].in_channels == 6


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"shape": None}, "does not know the shape of the images in rows of 16 numbers"),
        ({"shape": (4, 5)}, r"of the 16 numbers of a row; got \(4, 5\)"),
        ({"blocks": 0, "strokes": 0, "pixels": 0}, "must not all be 0"),
        ({"blocks": -1}, "blocks of Blocks"),
        ({"size": (0.5, 0.2)}, "size of Blocks must be two shares"),
        ({"size": 0.5}, "size of Blocks must be two shares"),
        ({"size": (0, 0.5)}, "size of Blocks must be above 0"),
        ({"rate": (0.5, 1)}, "rate below 1"),
        ({"score": "some"}, "score of Blocks"),
    ],
)
def test_what_is_wrong_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        Blocks(**{"shape": (4, 4)} | parameters).build(16)
