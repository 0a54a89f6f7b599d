"""`Mixed`: tables of real values, counts, booleans and categories, with missing cells."""

from dataclasses import dataclass

from isthmus.core.contract import Part
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.registry import register
from isthmus.parts import trial
from isthmus.parts.mixed_likelihood import MixedLikelihood
from isthmus.parts.slots import Likelihood


@register("likelihood")
@dataclass
class Mixed(Part):
    """The likelihood of a table: columns of several families, each with the same weight in the objective.

    Missing cells are NaN. They do not count in the score, and the encoder sees the mean of their column and, beside it,
    that they are missing. `score_samples` is the sum of the columns' log-likelihoods. Training minimises the mean over
    the columns of the loss ratio, so that a category of many values, whose log-likelihood is a large number, weighs no
    more than a real value.

    Parameters
    ----------
    families : tuple of parts
        Likelihoods of columns, such as `Gaussian`, `StudentT`, `Bernoulli`, `Categorical`, `Poisson` or
        `NegativeBinomial`, in the order of the cells.
    cells : tuple of int
        Number of cells of a row for each family.
    feature_group : tuple of int, optional
        Number of the column of each cell; () if each cell is a column, or each block of a `Categorical`.
    scored : tuple of bool, optional
        Which families count in the score; () for all.

    Raises
    ------
    ValueError
        In `fit`, if there is not one number of cells per family, or if they do not sum to the cells of a row.

    Examples
    --------
    >>> import torch
    >>> from isthmus import Bernoulli, Gaussian
    >>> module = Mixed((Gaussian(1.0), Bernoulli()), (1, 1)).build(features=2)
    >>> x = torch.tensor([[0.0, torch.nan]])
    >>> round(float(module.nll(x, torch.zeros(1, 2))), 4)  # ½ log 2π, and nothing for the missing cell
    0.9189
    """

    families: tuple[Likelihood, ...] = ()
    cells: tuple[int, ...] = ()
    feature_group: tuple[int, ...] = ()
    scored: tuple[bool, ...] = ()

    def build(self, features: int) -> MixedLikelihood:
        """Return the module for rows of `features` cells."""
        if sum(self.cells) != features or len(self.cells) != len(self.families):
            raise ValueError(
                f"cells of Mixed must be one number for each of the {len(self.families)} families, together the "
                f"{features} cells of a row; got {self.cells!r}"
            )
        families = [family.build(cells) for family, cells in zip(self.families, self.cells, strict=True)]
        for part, family, cells in zip(self.families, families, self.cells, strict=True):
            trial.likelihood(part, family, cells)
            family.made_by = type(part).__name__
        scored = self.scored or (True,) * len(self.families)
        groups = self.feature_group or column_of_each_cell(families, self.cells)
        return MixedLikelihood(families, tuple(self.cells), groups, scored)


def column_of_each_cell(families: list[LikelihoodModule], cells: tuple[int, ...]) -> tuple[int, ...]:
    """Return the number of the column of each cell, by the families' own groups."""
    sizes = [size for family, count in zip(families, cells, strict=True) for size in family.groups(count)]
    return tuple(column for column, size in enumerate(sizes) for _ in range(size))
