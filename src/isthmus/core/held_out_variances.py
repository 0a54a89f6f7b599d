"""Variances of columns' errors that few held-out rows cannot make too small: empirical Bayes over the columns."""

import torch
from torch import Tensor

SHARES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Shares of a common variance that are tried."""
PSEUDO_ROWS = 1.0
"""Least weight of what other evidence says of a column, in held-out rows."""


def held_out_variances(held_out: Tensor, rows: float, training: Tensor, training_rows: float, own: Tensor) -> Tensor:
    """Return the variance of each column, (F,): its held-out error, drawn towards what its training error suggests.

    The training errors tell how columns differ; one factor for all brings them to the level of the held-out ones. How
    far a column is drawn, in rows ν, is found from how much the ratios differ beyond chance: ψ = (ν s + n e) / (ν + n),
    the posterior mean scale of an inverse-gamma prior (Smyth 2004, section 6.2). One more row, among all that were
    looked at, is as far from its reconstruction as without a code: what was never seen may still come. Part of the
    variance is common to all columns, if the held-out rows say so (`common_share`).

    Parameters
    ----------
    held_out
        (F,) mean squared errors over held-out rows.
    rows
        n, the number of these.
    training
        (F,) mean squared errors over training rows, as they are.
    training_rows
        The number of these.
    own
        (F,) variances of the columns.

    Examples
    --------
    >>> one = torch.ones(3, dtype=torch.float64)
    >>> even = held_out_variances(torch.tensor([1.0, 1.2, 0.8]).double(), 10, one / 2, 1e6, one)
    >>> [round(v, 3) for v in even.tolist()]
    [1.0, 1.0, 1.0]
    """
    overall, level = held_out.mean(), training.mean()
    expected = training * (overall / level) if bool(level > 0) else overall.expand_as(held_out)
    tiny = 1e-9 * overall
    both = (held_out > tiny) & (training > tiny)
    prior_rows = rows_of_prior(torch.log(held_out[both] / expected[both]), rows)
    share = torch.where(both, rows / (prior_rows + rows), rows / (PSEUDO_ROWS + rows))
    found = share * held_out + (1 - share) * expected
    counted = rows + training_rows

    def with_one_more(errors: Tensor) -> Tensor:
        return (counted * errors + PSEUDO_ROWS * never_zero(own)) / (counted + PSEUDO_ROWS)

    common = common_share(with_one_more(expected), held_out, overall)
    return (1 - common) * with_one_more(found) + common * overall


def common_share(variances: Tensor, held_out: Tensor, overall: Tensor) -> float:
    """Return the share of a variance common to all columns with which held-out cells are likeliest.

    Pixels at a border are dark in all training rows and lit in one of the next thousand: where columns are in one unit,
    the others tell how far off a cell can be. Where they are not, the share is 0.

    Parameters
    ----------
    variances, held_out
        (F,) variances by other rows, and mean squared errors over held-out rows.
    overall
        The common variance.
    """
    if not bool(overall > 0):
        return 0.0
    mixed = [((1 - share) * variances + share * overall).clamp_min(1e-300) for share in SHARES]
    losses = [float((held_out / variance + variance.log()).mean()) for variance in mixed]
    return SHARES[losses.index(min(losses))]


def never_zero(own: Tensor) -> Tensor:
    """Return the variances of columns (F,), that of a column of one value being the mean of the others."""
    varies = own > 0
    return torch.where(varies, own, own[varies].mean()) if bool(varies.any()) else own


def rows_of_prior(log_ratios: Tensor, rows: float) -> float:
    """Return how many rows the prior of variances is worth, from log ratios (F,) of estimates to expectations.

    Of variances estimated from n rows the logarithms vary by ψ'(n/2); what they vary more is the prior's ψ'(ν/2).
    """
    if len(log_ratios) < 2:
        return PSEUDO_ROWS
    half = torch.tensor(rows / 2, dtype=torch.float64)
    beyond_chance = float(log_ratios.double().var() - torch.special.polygamma(1, half))
    if beyond_chance <= 0:
        return float("inf")
    return max(2 * inverse_trigamma(beyond_chance), PSEUDO_ROWS)


def inverse_trigamma(value: float) -> float:
    """Return x with ψ'(x) = value > 0, by Newton's steps on 1/ψ', which is nearly a straight line.

    >>> x = torch.tensor(2.5, dtype=torch.float64)
    >>> round(inverse_trigamma(float(torch.special.polygamma(1, x))), 6)
    2.5
    """
    x = torch.tensor(0.5 + 1 / value, dtype=torch.float64)
    for _ in range(50):
        trigamma = torch.special.polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / torch.special.polygamma(2, x)
        x = x + step
        if float(-step / x) < 1e-10:
            break
    return float(x)


def variances_without_held_out(training: Tensor, rows: float, latent: int, own: Tensor) -> Tensor:
    """Return the variance of each column, (F,), where all rows were trained on.

    The training error is brought to that of a new row by generalised cross-validation, (n / (n - K - 1))² (Craven and
    Wahba 1979). One row's worth of evidence says that a column is as uncertain as it is without a code (the unit
    information prior of Kass and Wasserman 1995), which is all there is to say once K + 1 reaches n.

    Parameters
    ----------
    training
        (F,) mean squared errors over the training rows.
    rows
        n, the number of these.
    latent
        K.
    own
        (F,) variances of the columns.
    """
    free, own = rows - latent - 1, never_zero(own)
    if free <= 0:
        return own
    return (PSEUDO_ROWS * own + free * training * (rows / free) ** 2) / (PSEUDO_ROWS + free)
