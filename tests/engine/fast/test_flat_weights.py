import torch
from torch import nn

from isthmus.engine.fast.flat_weights import ALIGNED, FlatWeights, can_be_flat


def weights():
    return [nn.Parameter(torch.full(shape, float(k))) for k, shape in enumerate([(3, 5), (3,), (17,), (1, 1)], start=1)]


def test_weights_are_views_of_the_vector():
    given = weights()
    before = [parameter.detach().clone() for parameter in given]
    flat = FlatWeights(given)
    flat.vector.mul_(2)
    for parameter, old in zip(given, before, strict=True):
        assert torch.equal(parameter.data, 2 * old)
        assert parameter.data_ptr() % (ALIGNED * parameter.element_size()) == flat.vector.data_ptr() % (
            ALIGNED * parameter.element_size()
        )


def test_split_gives_every_weight_its_shape():
    given = weights()
    flat = FlatWeights(given)
    parts = flat.split(flat.gradient)
    assert [part.shape for part in parts] == [parameter.shape for parameter in given]
    for k, part in enumerate(parts, start=1):
        part.fill_(k)
    assert [float(part.unique()) for part in parts] == [1, 2, 3, 4], "no two of them overlap"


def test_after_release_the_vector_is_of_no_concern():
    given = weights()
    flat = FlatWeights(given)
    flat.release()
    flat.vector.zero_()
    assert all(bool((parameter != 0).all()) for parameter in given)


def test_what_cannot_be_flat():
    layer = nn.Linear(2, 2)
    assert can_be_flat(layer)
    assert not can_be_flat(nn.Sequential(layer, nn.Linear(2, 2).double()))
    layer.bias.requires_grad_(False)
    assert not can_be_flat(layer)
    assert not can_be_flat(nn.Identity())
