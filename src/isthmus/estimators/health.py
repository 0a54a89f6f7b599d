"""What can go wrong in a code without an error: it carries no information, or parts of it are never used."""

import warnings
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators import held_out_checks, hidden
from isthmus.estimators.course import course_of, problems_of_course
from isthmus.estimators.floor import Floor
from isthmus.estimators.problem import Problem

LEAST_VARIANCE = 0.01
"""A coordinate of the posterior mean with a smaller variance is inactive (Burda, Grosse and Salakhutdinov 2016)."""
MOST_UNUSED = 0.1
"""Share of the coordinates or units of a code that may be unused."""
NEARLY_ALL = 0.999
"""Share of the variance that a code of the right size holds."""
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
        `codes`. `dead_outputs`: columns with other values than 0 that a relu on the output leaves at
        0 for every row.
    """
    network.eval()
    codes: list[Tensor] = []
    dead: Tensor | None = None
    used: Tensor | None = None
    active, filled = 0, torch.zeros((), dtype=torch.bool, device=rows.device)
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
            filled = filled | (x != 0).any(0)
    z = torch.cat(codes)
    least = LEAST_VARIANCE if network.code.has_posterior else 1e-12 * float(z.square().mean())
    found = {"active_units": float((z.var(0, correction=0) > least).sum())}
    if used is not None and network.code.codewords:
        found |= {"used_codes": float(used.sum()), "codes": float(len(used))}
    elif used is not None:
        found |= {"used_units": float(used.sum()), "mean_active": active / len(z)}
    return found if dead is None else found | {"dead_outputs": float((dead & filled).sum())}


def problems_of_code(health: Mapping[str, float], network: Network, rows: int) -> Iterable[Problem]:
    """Yield the problems of a code and of outputs that are of no use."""
    latent, active = network.code.latent, int(health["active_units"])
    if active == 0 and network.code.has_posterior:
        yield Problem(
            "posterior-collapse",
            f"the posterior collapsed: none of the {latent} coordinates of the code tells rows apart",
            "take a smaller beta, KL(free_bits=0.1) or KL(warm_up=0.3)",
            latent,
        )
    elif active == 0:
        yield Problem(
            "constant-code",
            f"the code is the same for every row: none of its {latent} coordinates varies",
            "take init='pca', a smaller penalty, another activation or learning_rate, or look whether the rows differ",
            latent,
        )
    elif latent - active > MOST_UNUSED * latent and "used_units" not in health:
        why, mend = "they do not vary", ""
        if network.code.has_posterior:
            why, mend = "the variance of their posterior means is below 0.01", ", or a smaller beta to use them all"
        yield Problem(
            "unused-code",
            f"{latent - active} of the {latent} coordinates of the code are unused ({why}): latent={active} holds as "
            "much",
            f"take that{mend}",
            latent - active,
        )
    unused = latent - int(health.get("used_units", latent))
    if unused > MOST_UNUSED * latent:
        yield Problem(
            "dead-units",
            f"{unused} of the {latent} units of {network.code.made_by} are dead: no row looked at uses them",
            "take a larger k or rate, a smaller latent, or anneal",
            unused,
        )
    if health.get("dead_outputs"):
        yield Problem(
            "dead-outputs",
            f"{int(health['dead_outputs'])} columns are reconstructed as 0 for every row: the relu of the output is "
            "dead there",
            "take another activation of the likelihood, init='pca' or a smaller learning_rate",
            health["dead_outputs"],
        )
    codes = int(health.get("codes", 0))
    if codes and health["used_codes"] < 0.5 * min(codes, rows):
        yield Problem(
            "unused-codewords",
            f"only {int(health['used_codes'])} of the {codes} codewords of {network.code.made_by} are used",
            "take fewer of them, or longer training",
            health["used_codes"],
        )


def problems(
    health: Mapping[str, float], network: Network, history: History, floor: Floor | None, rows: int
) -> list[Problem]:
    """Return every problem that the figures of a trained network show.

    Parameters
    ----------
    health
        As `report` returns it.
    network, history, floor
        After training.
    rows
        How many rows there are to train on and to validate with.
    """
    return [
        *problems_of_code(health, network, min(rows, MOST)),
        *hidden.problems(health),
        *problems_of_course(health, history),
        *held_out_checks.problems(health, floor),
        *problems_of_size(network.code.latent, int(health.get("needed", 0))),
    ]


def report(
    network: Network,
    rows: Rows,
    training: Index,
    validation: Tensor,
    history: History,
    floor: Floor | None = None,
    needed: int = 0,
) -> dict[str, float]:
    """Diagnose a trained network and its course, and warn once about each problem.

    Parameters
    ----------
    network, rows, history
        After training.
    training, validation
        Positions of rows; the latter may be none.
    floor
        What a closed form reached on rows that were held out.
    needed
        Principal components that hold nearly all of the variance; 0 if that is not known.
    """
    # A few validation rows miss units of a sparse code by chance, and call them dead.
    index = torch.cat([validation, training[:MOST]])
    health = diagnose(network, rows, index)
    cells = rows.batch(index[:1])[0].shape[1]
    if network.code.latent < cells:
        # A code as wide as the table starts without error, and is told of before training.
        health |= course_of(history, cells)
    health |= hidden.diagnose(network, rows, index[:BLOCK]) | held_out_checks.diagnose(
        rows, training, validation, floor
    )
    if needed:
        health["needed"] = float(needed)
    wrong = problems(health, network, history, floor, len(index))
    if wrong and differ(rows, index[:MOST]):
        for problem in wrong:
            warnings.warn(str(problem), TrainingWarning, stacklevel=5)
    return health


def problems_of_size(latent: int, needed: int) -> Iterable[Problem]:
    """Yield a problem if the code is larger than the rows need."""
    if 0 < needed < (1 - MOST_UNUSED) * latent:
        yield Problem(
            "large-code",
            f"the code is larger than it must be: {needed} principal components hold {100 * NEARLY_ALL:g} % of the "
            "variance",
            f"latent={needed} would do",
            needed,
        )


def differ(rows: Rows, index: Tensor) -> bool:
    """Whether the rows at these positions differ: identical rows cannot be told apart by any code."""
    first, _ = rows.batch(index[:1])
    return any(bool((rows.batch(chunk)[0] != first).any()) for chunk in index.split(BLOCK))
