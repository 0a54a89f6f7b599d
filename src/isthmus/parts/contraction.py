"""`Contractive`: codes that change little when the row changes."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from isthmus.core import jacobian, modules
from isthmus.core.checks import no_negative_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, Step
from isthmus.core.network import Network, PenaltyModule
from isthmus.core.registry import register

METHODS = ("auto", "exact", "hutchinson")
LARGEST_EXACT = 64
"""Largest code for which "auto" computes the exact norm of the Jacobian of a deep encoder."""


class JacobianNorm(PenaltyModule):
    """λ‖∂z/∂x‖²; see `Contractive`."""

    def __init__(self, weight: float, method: str, samples: int) -> None:
        super().__init__()
        self.weight = weight
        self.method = method
        self.samples = samples

    def check(self, network: Network) -> None:
        """Refuse a code that is not smooth."""
        if network.code.activation is None or network.code.codewords:
            raise ValueError(
                f"the penalty Contractive needs a code that is smooth in the row, and {network.code.made_by} is not: "
                "take code='deterministic' or code='gaussian'"
            )

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty of each row, (B,), in nats."""
        with torch.enable_grad():
            norm = self.norm(step, network)
        return self.weight * (norm if torch.is_grad_enabled() else norm.detach())

    def norm(self, step: Step, network: Network) -> Tensor:
        """Return ‖∂z/∂x‖² of each row, (B,)."""
        encoder = network.encoder
        sees_rows_as_they_are = network.likelihood.encoder_input(step.x_in) is step.x_in
        closed = self.method != "hutchinson" and sees_rows_as_they_are
        if closed and len(encoder.weights) == 1:
            return self.closed_form(step, network, encoder.weights[0])

        def code(x: Tensor) -> Tensor:
            return network.encode(x, step.mask).mean

        with jacobian.rows_apart(encoder):
            if self.method == "exact" or (self.method == "auto" and network.code.latent <= LARGEST_EXACT):
                return jacobian.exact(code, step.x_in)
            generator = self.generator or Generator(step.x.device).manual_seed(0)
            return jacobian.hutchinson(code, step.x_in, self.samples, generator)

    def closed_form(self, step: Step, network: Network, weight: Tensor) -> Tensor:
        """Return the norm for an encoder of one layer, (B,)."""
        latent, features = network.code.latent, step.x.shape[1]
        h = network.activate(step.x_in, step.mask)[:, :latent]
        assert network.code.activation is not None
        function = modules.activation(network.code.activation).function
        if network.code.activation == "identity":
            derivatives = torch.ones_like(h)
        else:
            with torch.enable_grad():
                (derivatives,) = torch.autograd.grad(function(h).sum(), h, create_graph=True)
        return jacobian.one_layer(derivatives, weight[:latent, :features])


@register("penalty")
@dataclass
class Contractive(Part):
    """λ‖∂z/∂x‖²_F, the squared Frobenius norm of the encoder's Jacobian at what it saw (Rifai et al. 2011).

    The norm is in units of the code: the encoder can shrink while the decoder grows, which ``decoder="tied"`` prevents.
    It is the norm of the encoder in use: batch normalisation with running statistics, no dropout.

    Parameters
    ----------
    weight : float
        λ, in nats, at least 0; useful values are 1e-4 to 1.
    method : {"auto", "exact", "hutchinson"}
        How the norm of an encoder of several layers is computed (one layer has a closed form). "exact": by K backward
        passes at once. "hutchinson": an unbiased estimate E‖Jᵀv‖² from random signs v. "auto": exact for codes of up to
        64 units.
    samples : int
        Random vectors per row for "hutchinson", at least 1.

    Raises
    ------
    ValueError
        In `fit`, if the code is not smooth, or if a parameter is out of its range.

    Examples
    --------
    >>> from isthmus import AutoEncoder, Deterministic
    >>> contractive = AutoEncoder(64, (), code=Deterministic("sigmoid"), decoder="tied", penalty=Contractive(0.1))
    """

    weight: float = 0.1
    method: str = "auto"
    samples: int = 1

    def build(self, features: int, latent: int) -> JacobianNorm:
        """Return the module from (step, network) to (B,)."""
        refuse_unknown("method of Contractive", self.method, METHODS)
        samples = whole_number("samples of Contractive", self.samples, 1)
        return JacobianNorm(no_negative_number("weight of Contractive", self.weight), self.method, samples)
