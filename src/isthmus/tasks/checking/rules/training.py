"""What the training of an autoencoder told: the figures of `history_.health`, and the floor."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from isthmus.estimators import health
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.problem import Problem
from isthmus.tasks.checking.rule import Hit, rule


class Told(NamedTuple):
    """How a problem of a training is told."""

    severity: str
    about: str
    consequence: str
    mend: str


PROBLEMS = {
    "posterior-collapse": Told(
        "error",
        "a code whose posterior is the prior for every row",
        "the code says nothing of a row; samples are those of the columns' means",
        "take a smaller beta, KL(free_bits=0.1) or KL(warm_up=0.3)",
    ),
    "constant-code": Told(
        "error",
        "a code that is the same for every row",
        "the code says nothing of a row",
        "take init='pca', a smaller penalty, another activation or learning_rate",
    ),
    "unused-code": Told(
        "note",
        "coordinates of the code that do not vary",
        "the code is longer than what it holds",
        "take a smaller latent, or a smaller beta to use all",
    ),
    "dead-units": Told(
        "warning",
        "units of a sparse code that no row uses",
        "the code has fewer numbers than it seems to have",
        "take a larger k or rate, a smaller latent, or anneal",
    ),
    "unused-codewords": Told(
        "warning",
        "codewords that few rows use",
        "the codebook holds less than its size says",
        "take fewer codewords, or longer training",
    ),
    "dead-outputs": Told(
        "error",
        "columns that a relu on the output leaves at 0 for every row",
        "these columns are not learned, and cannot be any more",
        "take another activation of the likelihood, init='pca' or a smaller learning_rate",
    ),
    "large-code": Told(
        "note",
        "a code of more numbers than principal components hold nearly all of the variance",
        "the last numbers of the code carry noise",
        "take a smaller latent",
    ),
    "idle-units": Told(
        "warning",
        "hidden units with the same value for every row",
        "the network is smaller than it seems to be",
        "take activation='silu', init='pca', a smaller learning_rate or fewer units",
    ),
    "saturated-units": Told(
        "warning",
        "hidden units where their activation is flat",
        "gradients are nearly 0 there, and little is learned",
        "take scale='standard', activation='silu' or a smaller learning_rate",
    ),
    "learning-rate": Told(
        "warning",
        "no epoch that is better than the start",
        "the weights of the start are kept: nothing was learned",
        "take a smaller learning_rate",
    ),
    "overfitting": Told(
        "warning",
        "a validation loss that rises long after its best epoch",
        "the later epochs learned the training rows by heart; the best weights are kept",
        "take fewer epochs, patience=10, more rows, a smaller network or a corruption",
    ),
    "mean-row": Told(
        "error",
        "reconstructions that say no more than the mean row",
        "codes and scores say nothing of what columns have in common",
        "take init='pca', another learning_rate, more epochs or a weaker penalty",
    ),
    "validated-on-copies": Told(
        "warning",
        "validation rows that equal training rows",
        "held-out errors, and the epoch and the floor chosen by them, are too good",
        "drop duplicates, or let groups= say which rows belong together",
    ),
    "few-validation-rows": Told(
        "note",
        "few validation rows to compare the network with its floor on",
        "whether the network has won is left to chance",
        "take validation=0.2 or more",
    ),
}
"""How each problem that `isthmus.estimators.health` names is told."""


def look_for(name: str) -> Callable[[FittedModel], Iterator[Hit]]:
    """Return a function that looks for the problem of this name."""

    def look(model: FittedModel) -> Iterator[Hit]:
        """Yield the problem, if the training shows it."""
        for problem in problems_of(model):
            if problem.name == name:
                yield Hit(problem.what, problem.value, mend=problem.mend.replace("{", "{{").replace("}", "}}"))

    return look


def problems_of(model: FittedModel) -> list[Problem]:
    """Return the problems that the record of a training shows; none of identical rows, and where none was measured."""
    record, figures = model.record, model.record.history.health
    if "active_units" not in figures or (record.floor is not None and record.floor.variance == 0):
        return []
    return health.problems(figures, model.network, record.history, record.floor, int(record.rows))


for problem_name, told in PROBLEMS.items():
    rule(problem_name, told.severity, FittedModel, about=told.about, consequence=told.consequence, mend=told.mend)(
        look_for(problem_name)
    )


@rule(
    "below-floor",
    "warning",
    FittedModel,
    about="a network that does not reach principal components of the same size on held-out rows",
    consequence="PCA would reconstruct better",
    mend="take more epochs, wider layers or a weaker penalty, unless it is for something else than reconstruction",
)
def below_floor(model: FittedModel) -> Iterator[Hit]:
    """Yield the floor, if the network does not reach it."""
    floor = model.record.floor
    if floor is not None and not floor.kept and not floor.returned:
        yield Hit(str(floor), floor.gain)


@rule(
    "floor-returned",
    "note",
    FittedModel,
    about="principal components in the place of a network that was not better on held-out rows",
    consequence="the model is linear; nothing was lost, and nothing won",
    mend="more rows, wider layers or more epochs may win; floor='tell' keeps the network",
)
def floor_returned(model: FittedModel) -> Iterator[Hit]:
    """Yield the floor, if it was returned."""
    floor = model.record.floor
    if floor is not None and floor.returned:
        yield Hit(str(floor), floor.gain)


@rule(
    "cut-short",
    "warning",
    FittedModel,
    about="a training that was interrupted or went astray",
    consequence="the model is that of the best epoch until then",
    mend="fit again, with a smaller learning_rate if losses were not finite",
)
def cut_short(model: FittedModel) -> Iterator[Hit]:
    """Yield why a training ended, if that was not by plan."""
    history = model.record.history
    if history.interrupted or "finite" in history.stopped:
        why = f"training was {history.stopped}" if history.interrupted else history.stopped
        yield Hit(f"{why}; the weights of epoch {history.best_epoch} are kept", 1.0)


@rule(
    "not-validated",
    "note",
    FittedModel,
    about="a training without held-out rows",
    consequence="nothing says how the model does on new rows, and no floor is measured",
    mend="take validation=0.1, or 100 rows or more; floor_ says what cross-validation measured of fewer",
)
def not_validated(model: FittedModel) -> Iterator[Hit]:
    """Yield that no rows were held out."""
    record = model.record
    if record.report.validation_rows == 0 and record.floor is None:
        yield Hit(f"{record.report.rows:,} rows were trained on, and none were held out", float(record.report.rows))
