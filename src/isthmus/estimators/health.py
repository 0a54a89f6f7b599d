"""What can go wrong in a code without an error: it carries no information, or parts of it are never used."""

import warnings
from collections.abc import Iterable

import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.inference import BLOCK
from isthmus.engine.training_warning import TrainingWarning

LEAST_VARIANCE = 0.01
"""A coordinate of the posterior mean with a smaller variance is inactive (Burda, Grosse and Salakhutdinov 2016)."""
MOST = 4096
"""Rows that are examined."""


@torch.no_grad()
def diagnose(network: Network, rows: Rows, index: Index) -> dict[str, float]:
    """Count what the code uses, over some of the rows at these positions.

    Returns
    -------
    dict
        `active_units`: coordinates that vary (with a posterior: whose mean has a variance above 0.01). For sparse
        codes `used_units` and `mean_active`, how many of them a row has on average; with a codebook `used_codes` and
        `codes`. `dead_outputs`: columns that a relu on the output leaves at 0 for every row.
    """
    network.eval()
    codes: list[Tensor] = []
    dead: Tensor | None = None
    used: Tensor | None = None
    active = 0
    for chunk in index[:MOST].split(BLOCK):
        x, _ = rows.batch(chunk)
        code = network.encode(x)
        codes.append(code.mean.double())
        active += int((code.mean != 0).sum())
        now = network.code.usage(code)
        if now is not None:
            used = now if used is None else used | now
        if network.likelihood.activation == "relu":
            zero = (network.decode(code.mean) == 0).all(0)
            dead = zero if dead is None else dead & zero
    z = torch.cat(codes)
    least = LEAST_VARIANCE if network.code.has_posterior else 1e-12 * float(z.square().mean())
    found = {"active_units": float((z.var(0, correction=0) > least).sum())}
    if used is not None and network.code.codewords:
        found |= {"used_codes": float(used.sum()), "codes": float(len(used))}
    elif used is not None:
        found |= {"used_units": float(used.sum()), "mean_active": active / len(z)}
    return found if dead is None else found | {"dead_outputs": float(dead.sum())}


def problems(health: dict[str, float], network: Network, rows: int) -> Iterable[str]:
    """Yield a sentence for each problem: what is wrong, and what to do."""
    latent, active = network.code.latent, int(health["active_units"])
    if active == 0 and network.code.has_posterior:
        yield (
            f"the posterior collapsed: none of the {latent} coordinates of the code tells rows apart; take a smaller "
            "beta, KL(free_bits=0.1) or KL(warm_up=0.3)"
        )
    elif active == 0:
        yield (
            f"the code is the same for every row: none of its {latent} coordinates varies; take init='pca', a smaller "
            "penalty, another activation or learning_rate, or look whether the rows differ"
        )
    unused = latent - int(health.get("used_units", latent))
    if unused > 0.1 * latent:
        yield (
            f"{unused} of the {latent} units of {network.code.made_by} are dead: no row looked at uses them; take a "
            "larger k or rate, a smaller latent, or anneal"
        )
    codes = int(health.get("codes", 0))
    if codes and health["used_codes"] < 0.5 * min(codes, rows):
        yield (
            f"only {int(health['used_codes'])} of the {codes} codewords of {network.code.made_by} are used; take fewer "
            "of them, or longer training"
        )


def report(network: Network, rows: Rows, index: Index) -> dict[str, float]:
    """Diagnose, and warn once about all problems."""
    health = diagnose(network, rows, index)
    wrong = list(problems(health, network, min(len(index), MOST)))
    if wrong and differ(rows, index[:MOST]):
        warnings.warn("; ".join(wrong), TrainingWarning, stacklevel=4)
    return health


def differ(rows: Rows, index: Tensor) -> bool:
    """Whether the rows at these positions differ: identical rows cannot be told apart by any code."""
    first, _ = rows.batch(index[:1])
    return any(bool((rows.batch(chunk)[0] != first).any()) for chunk in index.split(BLOCK))
