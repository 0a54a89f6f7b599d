import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator, nn

from isthmus import AutoEncoder, Convolutional, Gaussian, Masking
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose

DIGITS = (load_digits().data / 16).astype(np.float32)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("shape", [(8, 8), (7, 5), (1, 1), (9, 4, 3), (28, 28, 1), (5, 6, 4), (2, 11, 2)])
@pytest.mark.parametrize("channels", [(4,), (3, 5), (2, 3, 4)])
def test_any_shape_comes_back_exactly(shape, channels, residual):
    features = int(np.prod(shape))
    for likelihood in (Gaussian(), Gaussian("learned")):
        part = Convolutional(shape, channels, residual=residual)
        network = compose(features, 3, encoder=part, likelihood=likelihood)
        initialise(network, "orthogonal", Generator().manual_seed(0))
        x = torch.rand(2, features, generator=Generator().manual_seed(1))
        step = network(x)
        assert step.code.z.shape == (2, 3)
        assert step.theta.shape == (2, network.likelihood.outputs)
        sum(term.sum() for term in network.terms(x).values()).backward()
        assert all(p.grad is not None for p in network.parameters())


def test_pixels_keep_their_places():
    """A kernel that passes its centre on shows where each pixel of a (H, W, C) row goes."""
    part = Convolutional((4, 6, 2), (3,))
    encoder = part.build_encoder(48, 5)
    for parameter in encoder.parameters():
        nn.init.zeros_(parameter)
    convolution = encoder.convolutions[0]
    with torch.no_grad():
        convolution.weight[0, 1, 1, 1] = 1
    seen = []
    convolution.register_forward_hook(lambda module, given, result: seen.append(result))
    image = torch.arange(48.0).view(1, 4, 6, 2)
    encoder(image.view(1, -1))
    torch.testing.assert_close(seen[0][0, 0], image[0, ::2, ::2, 1])


def test_offset_starts_at_the_mean_image():
    model = AutoEncoder(4, encoder=Convolutional((8, 8), (8,)), epochs=1, random_state=0).fit(DIGITS)
    assert model.history_.init.startswith("orthogonal (pca is not possible: the encoder and the decoder are not both")
    assert model.network_.decoder.offset.shape == (64,)


def test_better_than_the_mean_and_alone_the_same_bits():
    model = AutoEncoder(8, encoder=Convolutional((8, 8), (16, 32)), epochs=30, random_state=0).fit(DIGITS[:1400])
    error = np.mean((model.reconstruct(DIGITS[1400:]) - DIGITS[1400:]) ** 2)
    assert error < 0.3 * DIGITS.var(0).mean()
    whole = model.transform(DIGITS[:300])
    np.testing.assert_array_equal(model.transform(DIGITS[7:8]), whole[7:8])
    np.testing.assert_array_equal(model.transform(DIGITS[299:300]), whole[299:300])


def test_values_and_mask_are_two_images():
    part = Convolutional((8, 8), (4,))
    model = AutoEncoder(4, encoder=part, corruption=Masking(0.5, mark=True), epochs=1, random_state=0).fit(DIGITS)
    assert model.network_.encoder.convolutions[0].in_channels == 2
    assert model.reconstruct(DIGITS[:3]).shape == (3, 64)


@pytest.mark.parametrize("length", [1, 2, 13, 64])
def test_signals_of_any_length(length):
    part = Convolutional("signal", (2, 3))
    encoder = part.build_encoder(length, 2)
    assert part.build_decoder(2, 2 * length, encoder)(encoder(torch.zeros(3, length))).shape == (3, 2 * length)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Convolutional(), r"Convolutional does not know the shape of the image in a row of 64 columns: give images as"),
        (Convolutional((8, 7)), r"shape \(8, 7\) of Convolutional has 56 numbers, but a row has 64 columns"),
        (Convolutional((8, 8, 5)), "with 1 to 4 channels; got"),
        (Convolutional((64,)), "shape of Convolutional must be"),
        (Convolutional("image"), "two or three sizes, or 'signal'; got 'image'"),
        (Convolutional((8, 8), ()), "channels of Convolutional must be whole numbers"),
        (Convolutional((8, 8), (0,)), "channels of Convolutional must be whole numbers"),
        (Convolutional((8, 8), activation="x"), "unknown activation"),
    ],
)
def test_a_shape_that_cannot_be_fails_before_training(part, message):
    with pytest.raises(ValueError, match=message):
        AutoEncoder(4, encoder=part).fit(DIGITS)
