"""Greedy layer-wise pretraining: each layer learns to rebuild the outputs of the one before (Bengio et al. 2007)."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import batch_mean
from isthmus.core.modules import Stack, activation
from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.plan import Plan
from isthmus.engine.trainer import Trainer
from isthmus.parts.codes import Deterministic
from isthmus.parts.likelihoods import Gaussian
from isthmus.parts.slots import Likelihood

SHARE = 0.25
"""Share of the epochs that each layer is trained for; fine-tuning takes all epochs again."""


class Elementwise(nn.Module):
    """An activation as a module."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = activation(name).function

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return self.function(x)


def pretrain(
    network: Network, rows: Rows, index: Index, plan: Plan, likelihood: Likelihood, generator: Generator
) -> str:
    """Train an autoencoder for each layer of a dense network, and copy its weights; return in words what was done.

    Each autoencoder rebuilds the layer's pre-activations: layer l maps s_{l-1} to s_l by the activation and a matrix,
    and back, so that the stacked decoders are the network's decoder.

    Raises
    ------
    ValueError
        If encoder and decoder are not dense, differ in their number of layers or have normalisation, or if rows are
        not in memory.
    """
    if rows.table.streamed:
        raise ValueError(
            "init='layerwise' keeps what a layer gives for every row, so it needs rows in memory, and these are read "
            "in chunks; take init='pca'"
        )
    positions = index[:]
    encoder, decoder = network.encoder, network.decoder
    needed = "init='layerwise' needs a Dense encoder and decoder of as many layers, without norm; take init='pca'"
    if not isinstance(encoder, Stack) or not isinstance(decoder, Stack):
        raise ValueError(needed)
    if len(encoder.weights) != len(decoder.weights) or encoder.norms or decoder.norms:
        raise ValueError(needed)
    plan = replace(plan, epochs=max(1, math.ceil(SHARE * plan.epochs)), patience=None)
    latent, last = network.code.latent, len(encoder.weights) - 1
    for depth, weight in enumerate(encoder.weights):
        features = rows.features
        width = latent if depth == last else len(weight)
        inward, outward = Stack((features, width)), Stack((width, features))
        target = likelihood if depth == 0 else Gaussian()
        if depth == 0 and target.build(features).outputs != features:
            outward = Stack((width, target.build(features).outputs))
        layer = Network(
            inward if depth == 0 else nn.Sequential(Elementwise(encoder.activation_name), inward),
            Deterministic().build(width),
            outward if depth == last else nn.Sequential(Elementwise(decoder.activation_name), outward),
            target.build(features),
        )
        train_layer(layer.to(rows.dtype), (inward, outward), rows, positions, plan, generator)
        copy_layer(inward, outward, encoder, decoder, depth)
        if depth < last:
            rows = encoded(layer, rows, positions)
            positions = torch.arange(len(positions))
    return f"layerwise ({last + 1} layers, {plan.epochs} epochs each)"


def train_layer(
    layer: Network, stacks: tuple[Stack, Stack], rows: Rows, index: Tensor, plan: Plan, generator: Generator
) -> None:
    """Train an autoencoder with one layer each way, starting at orthogonal matrices and the mean row."""
    for stack in stacks:
        stack.initialise("orthogonal", generator)
    sample, weight = rows.batch(index[:2048])
    with torch.no_grad():
        mean = batch_mean(sample.double(), weight).cpu()
        variance = batch_mean((sample.double().cpu() - mean).square(), None if weight is None else weight.cpu())
        stacks[1].biases[0].copy_(layer.likelihood.start_bias(mean, variance))
    # Its own generator, so that the next layer's first weights do not depend on the number of rows.
    shuffling = Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
    Trainer(layer.to(rows.device), rows, index, index[:0], plan, shuffling, whole=True).fit()


@torch.no_grad()
def copy_layer(inward: Stack, outward: Stack, encoder: Stack, decoder: Stack, depth: int) -> None:
    """Copy the weights of a one-layer autoencoder to their places in the network."""
    for small, whole, place in ((inward, encoder, depth), (outward, decoder, len(decoder.weights) - 1 - depth)):
        units = len(small.biases[0])
        # A code with more inputs than coordinates keeps its other inputs.
        whole.weights[place][:units] = small.weights[0].to(whole.weights[place])
        whole.biases[place][:units] = small.biases[0].to(whole.biases[place])


@torch.no_grad()
def encoded(layer: Network, rows: Rows, index: Tensor) -> Rows:
    """Return the layer's codes for the rows at these positions, as rows for the next layer."""
    codes = [layer.encode(rows.batch(chunk)[0]).mean.cpu().numpy() for chunk in index.split(4096)]
    weight = None if rows.weight is None else rows.weight[index].cpu().numpy()
    return Rows(np.concatenate(codes), weight, None, rows.dtype, rows.device)
