"""When codes are principal components as they are, and only the decoder is trained.

A trained encoder moves codes to where the curved surface of reconstructions is nearest. That lowers the error by about
as much as it bends the coordinates that neighbours and linear models read. It pays where components leave much of the
variance and many rows show how the surface is curved; elsewhere it costs more than it brings (docs/codes.md).
"""

import numpy as np
import torch
from torch import Tensor

from isthmus.core.modules import FixedComponents
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows
from isthmus.data.table import Table
from isthmus.estimators import rules
from isthmus.estimators.parameters import Parameters
from isthmus.parts.backbones import Dense, Linear
from isthmus.parts.codes import Deterministic
from isthmus.parts.composition import part
from isthmus.parts.likelihoods import Gaussian
from isthmus.parts.slots import Likelihood

ENOUGH = 0.8
"""Share of the variance of columns of one unit from which on their components are the codes."""
MANY = 10_000
"""Rows of columns of one unit from which on an encoder is trained in any case."""
NOISE = 1e-12
"""Share of the greatest variance below which a coordinate is rounding."""


def left_open(parameters: Parameters, table: Table, likelihood: Likelihood) -> bool:
    """Return whether parameters ask for reconstruction alone, and do not say by which encoder."""
    said = (parameters.encoder, parameters.decoder) != (None, None) or parameters.init != "pca"
    usual = Dense()
    said = said or tuple(np.atleast_1d(parameters.hidden)) != usual.hidden or parameters.activation != usual.activation
    return not (said or table.streamed or obstacle_to_components(parameters)) and isinstance(likelihood, Gaussian)


def refuse_other_starts(network: Network, init: str) -> None:
    """Raise a `ValueError` if an encoder that holds principal components would not get them."""
    if isinstance(network.encoder, FixedComponents) and init != "pca":
        raise ValueError(f"the encoder Principal holds principal components: init must be 'pca', got {init!r}")


def are_codes(principal: PrincipalComponents | None, latent: int, rows: int, standardised: bool) -> bool:
    """Return whether the codes of a table of numbers are its principal components, if that is left open.

    They are where columns are standardised, because they are of different units, and where columns of one unit have
    fewer than `MANY` rows, of whose variance the components hold `ENOUGH`.

    Parameters
    ----------
    principal
        At least as many components as codes have numbers.
    latent
        K.
    rows
        Rows of the table.
    standardised
        Whether each column has its own scale.
    """
    if principal is None or latent >= len(principal.mean):
        return False
    held = float(principal.variances[:latent].sum()) >= ENOUGH * float(principal.column_variances.sum())
    return standardised or (held and rows < MANY)


@torch.no_grad()
def decoded_by(principal: PrincipalComponents, rows: Rows, training: Tensor) -> PrincipalComponents:
    """Return components of all rows with the linear decoder that training rows give, by least squares.

    Validation rows have a part in the components. Were they decoded by these, a start at PCA would know the rows on
    which it is compared with decoders that do not.
    """
    latent, cells = principal.components.shape[1], len(principal.mean)
    codes, crossed = (torch.zeros(size, latent, dtype=torch.float64) for size in (latent, cells))
    for positions in training.split(rows.block):
        x, weight = rows.batch(positions)
        centred = x.cpu().double() - principal.mean
        z = centred @ principal.components
        weighted = z if weight is None else z * weight.cpu().double()[:, None]
        codes += weighted.T @ z
        crossed += centred.T @ weighted
    return principal._replace(decoder=crossed @ torch.linalg.pinv(codes, rtol=NOISE, hermitian=True))


def obstacle_to_components(parameters: Parameters) -> str:
    """Return why principal components cannot take the place of the network; "" if they can."""
    for slot in ("encoder", "decoder"):
        given = getattr(parameters, slot)
        if given is not None and not isinstance(part(slot, given), Dense | Linear):
            return f"the {slot} is not dense"
    if part("code", parameters.code) != Deterministic():
        return "the code is another one"
    if parameters.penalty is not None or parameters.objective is not None:
        return "a penalty or an objective asks for more"
    if not rules.is_auto(parameters.corruption) and parameters.corruption is not None:
        return "a corruption is to be undone"
    likelihood = parameters.likelihood
    if not rules.is_auto(likelihood) and not isinstance(part("likelihood", likelihood), Gaussian):
        return "the likelihood is not Gaussian"
    return ""
