"""`FusedBackward`: the gradient of a plain dense autoencoder without autograd, into one vector."""

import numpy as np
import torch
from torch import Tensor

from isthmus.core.modules import FixedComponents, Stack
from isthmus.core.network import Network
from isthmus.core.trainable import Trainable
from isthmus.engine.fast.flat_weights import FlatWeights, can_be_flat
from isthmus.engine.fast.loss_kernels import kernel
from isthmus.engine.fast.matmul import NumpyMatmul, TorchMatmul, numpy_is_chosen
from isthmus.engine.fast.workspace import DenseAutoencoder, Workspace
from isthmus.parts.codes import DeterministicCode


def dense_autoencoder(network: Trainable) -> DenseAutoencoder | None:
    """Return the parts of a network that is a chain of dense layers with nothing between or beside them, else None."""
    if not isinstance(network, Network):
        return None
    encoder, decoder, code, corruption = network.encoder, network.decoder, network.code, network.corruption
    # Exact classes: a subclass may compute something else.
    if type(decoder) is not Stack or type(code) is not DeterministicCode:
        return None
    stacks: tuple[Stack, ...] = (decoder,) if type(encoder) is not Stack else (encoder, decoder)
    if len(stacks) == 1 and type(encoder) is not FixedComponents:
        return None
    if any(stack.norms is not None or stack.dropout.rate != 0 for stack in stacks):
        return None
    loss = kernel(network.likelihood)
    if loss is None or network.demands:
        return None
    if corruption is not None and (corruption.marks or (corruption.weighs and not loss.weighs_cells)):
        return None
    if not loss.on_any_device and decoder.weights[0].device.type != "cpu":
        return None
    names: list[str] = []
    for stack in stacks:
        names += [*[stack.activation_name] * (len(stack.weights) - 1), code.activation]
    seen = loss.encoder_input or network.likelihood.encoder_input
    first_input = seen if len(stacks) == 2 else lambda x: code.function(encoder(seen(x)))
    # No activation after the last layer.
    return DenseAutoencoder(stacks, names[:-1], corruption, first_input, loss)


def suits(network: Trainable) -> bool:
    """Whether `FusedBackward` supports a network."""
    return dense_autoencoder(network) is not None


class FusedBackward:
    """The weights of a network in one vector, and the passes that compute their gradient.

    Until `release` the network's weights are views of that vector.

    Parameters
    ----------
    network
        A network that this class supports (`suits`).
    bfloat16
        Whether matrices are multiplied in bfloat16; weights, loss and optimiser keep their precision.
    numpy_on_one_thread
        Whether numpy multiplies them on one thread, where they are not bfloat16.

    Raises
    ------
    ValueError
        If the network is not supported.
    """

    def __init__(self, network: Trainable, bfloat16: bool = False, numpy_on_one_thread: bool = False) -> None:
        parts = dense_autoencoder(network)
        if parts is None:
            raise ValueError("a fused backward pass needs a plain dense autoencoder; use AutogradSteps for others")
        self.network = network
        self.parts = parts
        self.numpy_on_one_thread = numpy_on_one_thread
        self.threads = 1
        self.flat = FlatWeights(
            [
                parameter
                for stack in parts.stacks
                for pair in zip(stack.weights, stack.biases, strict=True)
                for parameter in pair
            ]
        )
        self.torch_workspaces: dict[bool, Workspace[Tensor]] = {}
        self.numpy_workspace: Workspace[np.ndarray] | None = None
        self.use_bfloat16(bfloat16)

    def use_bfloat16(self, bfloat16: bool) -> None:
        """Multiply matrices in bfloat16 from now on, or in the weights' own precision."""
        self.bfloat16 = bfloat16
        self.workspace = self.chosen_workspace()
        # An attribute, so that a step goes straight to the workspace.
        self.step = self.workspace.step

    def chosen_workspace(self) -> Workspace[Tensor] | Workspace[np.ndarray]:
        """Return the workspace for the current precision and thread count; each is allocated once."""
        if self.by_numpy:
            if self.numpy_workspace is None:
                self.numpy_workspace = Workspace(self.parts, self.flat, NumpyMatmul())
            return self.numpy_workspace
        if self.bfloat16 not in self.torch_workspaces:
            self.torch_workspaces[self.bfloat16] = Workspace(self.parts, self.flat, TorchMatmul(self.bfloat16))
        return self.torch_workspaces[self.bfloat16]

    @property
    def by_numpy(self) -> bool:
        """Whether numpy multiplies the matrices of the next step."""
        return self.numpy_on_one_thread and self.threads == 1 and not self.bfloat16

    def use_threads(self, count: int) -> None:
        """Take steps on so many threads from now on; on several, torch multiplies the matrices."""
        self.threads = count
        self.use_bfloat16(self.bfloat16)

    def use_torch_matmul(self) -> None:
        """Let torch multiply all matrices, whatever the number of threads."""
        self.numpy_on_one_thread = False
        self.use_bfloat16(self.bfloat16)


def fused_backward(
    network: Trainable, precision: str, weighted: bool, matmul: str = "torch", repeatable: bool = False
) -> FusedBackward | None:
    """Return the fused backward pass of a network, or None if training needs autograd.

    Parameters
    ----------
    network
        The network to train.
    precision
        As in `Compute`.
    weighted
        Whether rows have weights.
    matmul
        The library that multiplies matrices that are not bfloat16: "torch", "numpy", or "auto" for the faster one.
    repeatable
        Whether "auto" must be the same in every process.
    """
    if weighted or torch.is_anomaly_enabled() or not suits(network) or not can_be_flat(network):
        return None
    device = next(network.parameters()).device
    return FusedBackward(network, precision == "bfloat16", numpy_is_chosen(matmul, device, repeatable))
