"""Greedy layer-wise pretraining: each layer first learns to rebuild what the layer before gives (Bengio et al. 2007)."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.initialisation import initialise
from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.core.principal import principal_components
from isthmus.data.rows import Rows
from isthmus.engine.trainer import Plan, Trainer
from isthmus.parts import Deterministic, Gaussian, compose

SHARE = 0.25
"""Of the epochs, for each layer; fine-tuning has all of them again."""


def pretrain(network: Network, rows: Rows, index: Tensor, plan: Plan, likelihood: object, generator: Generator) -> str:
    """Write into a dense network the weights of autoencoders of one layer each; return in words what was done.

    Raises
    ------
    ValueError
        If the encoder and the decoder are not dense mirrors of each other.
    """
    encoder, decoder = network.encoder, network.decoder
    if not isinstance(encoder, Stack) or not isinstance(decoder, Stack) or len(encoder.weights) != len(decoder.weights):
        raise ValueError("init='layerwise' needs a Dense encoder and decoder of as many layers; take init='pca'")
    plan = replace(plan, epochs=max(1, math.ceil(SHARE * plan.epochs)), patience=None)
    last = len(encoder.weights) - 1
    for depth, weight in enumerate(encoder.weights):
        function = "identity" if depth == last else encoder.activation_name
        target = likelihood if depth == 0 else Gaussian(activation=decoder.activation_name)
        width = network.code.latent if depth == last else weight.shape[0]
        layer = one_layer(rows, index, width, function, target, plan, generator)
        copy_layer(layer, network, depth)
        if depth < last:
            rows = encoded(layer, rows, index)
            index = torch.arange(len(index))
    return f"layerwise ({last + 1} layers, {plan.epochs} epochs each)"


def one_layer(
    rows: Rows, index: Tensor, width: int, function: str, likelihood: object, plan: Plan, generator: Generator
) -> Network:
    """Train an autoencoder of one layer each way."""
    features = rows.raw.shape[1]
    network = compose(features, width, encoder="linear", code=Deterministic(function), likelihood=likelihood)
    network.to(rows.dtype)
    principal = principal_components(lambda: map(rows.batch, index.split(4096)), features, generator=generator)
    sample, weight = rows.batch(index[:2048])
    initialise(
        network, "pca", generator, principal.first(width), sample.cpu(), None if weight is None else weight.cpu()
    )
    network.to(rows.device)
    Trainer(network, rows, index, index[:0], plan, generator).fit()
    return network


def copy_layer(layer: Network, network: Network, depth: int) -> None:
    """Copy the weights of an autoencoder of one layer to their places."""
    with torch.no_grad():
        pairs = ((layer.encoder, network.encoder, depth), (layer.decoder, network.decoder, -1 - depth))
        for small, whole, place in pairs:
            assert isinstance(small, Stack)
            assert isinstance(whole, Stack)
            units = len(small.biases[0])
            columns = small.weights[0].shape[1]
            whole.weights[place][:units, :columns] = small.weights[0]
            whole.biases[place][:units] = small.biases[0]


@torch.no_grad()
def encoded(layer: Network, rows: Rows, index: Tensor) -> Rows:
    """Return what the layer gives for the rows of that index, as the next one's rows."""
    codes = [layer.encode(rows.batch(chunk)[0]).mean.cpu().numpy() for chunk in index.split(4096)]
    weight = None if rows.weight is None else rows.weight[index].cpu().numpy()
    return Rows(np.concatenate(codes), weight, None, rows.dtype, rows.device)
