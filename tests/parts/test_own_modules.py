import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import Generator, nn

from isthmus import AutoEncoder

DIGITS = (load_digits().data / 16).astype(np.float32)


def module(inputs, outputs, seed=0):
    made = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))
    for parameter in made.parameters():
        parameter.data.normal_(0, 0.2, generator=Generator().manual_seed(seed))
    return made


def test_modules_are_trained_and_those_given_stay_as_they_were():
    encoder, decoder = module(64, 4), module(4, 64)
    before = encoder[0].weight.clone()
    model = AutoEncoder(4, encoder=encoder, decoder=decoder, epochs=20, random_state=0).fit(DIGITS)
    assert torch.equal(encoder[0].weight, before)
    assert not torch.equal(model.network_.encoder.module[0].weight.float(), before)
    assert model.reconstruction_error(DIGITS).mean() < 0.6 * DIGITS.var(0).mean()
    again = clone(model).fit(DIGITS)
    np.testing.assert_array_equal(again.transform(DIGITS), model.transform(DIGITS))


def test_an_own_decoder_goes_with_a_part():
    model = AutoEncoder(4, decoder=module(4, 64), epochs=1, random_state=0).fit(DIGITS)
    assert model.transform(DIGITS).shape == (1797, 4)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"encoder": module(64, 4)}, "an encoder that is a torch module has no mirror: give a decoder too"),
        ({"encoder": module(64, 5), "decoder": module(4, 64)}, r"must map \(2, 64\) to \(2, 4\); it gave \(2, 5\)"),
        ({"encoder": module(60, 4), "decoder": module(4, 64)}, r"encoder module given does not take rows .*\(2, 64\)"),
        ({"decoder": module(4, 63)}, r"decoder module given must map \(2, 4\) to \(2, 64\); it gave \(2, 63\)"),
        ({"decoder": nn.GRU(4, 64)}, "it gave tuple"),
    ],
)
def test_a_module_of_another_shape_fails_before_training(parts, message):
    with pytest.raises(ValueError, match=message):
        AutoEncoder(4, **parts).fit(DIGITS)


def test_saving_is_refused_in_words(tmp_path):
    model = AutoEncoder(4, decoder=module(4, 64), epochs=1, random_state=0).fit(DIGITS)
    with pytest.raises(TypeError, match="cannot be saved in a model file"):
        model.save(tmp_path / "model.isthmus")
    assert list(tmp_path.iterdir()) == []
