"""`tune`: a search for better parameters than the defaults, and a verdict on rows that no trial has seen."""

import math
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from isthmus.core.checks import positive_number, whole_number
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators import AutoEncoder, checks
from isthmus.estimators.parameters import RandomState
from isthmus.tasks.tuning import objectives  # noqa: F401  objectives register themselves
from isthmus.tasks.tuning.blueprint import Blueprint
from isthmus.tasks.tuning.dimension import dimensions
from isthmus.tasks.tuning.fingerprint import fingerprint, refuse_other
from isthmus.tasks.tuning.finishing import Finish
from isthmus.tasks.tuning.journal import Journal
from isthmus.tasks.tuning.objective import Data, Objective, objective_for
from isthmus.tasks.tuning.optuna_package import optuna_package, quiet
from isthmus.tasks.tuning.pruning import FIRST_LOOK, STARTUP_TRIALS
from isthmus.tasks.tuning.rows_in_memory import in_memory, row_count
from isthmus.tasks.tuning.searching import LONGER, Search
from isthmus.tasks.tuning.splitting import split
from isthmus.tasks.tuning.trial_row import DEFAULTS, TrialRow
from isthmus.tasks.tuning.tuning import Tuning

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

TRIALS, UNLIMITED = 30, 1_000_000
"""Trials where nothing is said, and where only the time is."""
LEAST_FOR_IMPORTANCE = 8
"""Fewer different trials say nothing of the importance of dimensions."""
STUDY = "isthmus"


def tune(
    X: object,
    y: ArrayLike | None = None,
    *,
    model: BaseEstimator | None = None,
    objective: str = "auto",
    space: Mapping[str, object] | None = None,
    trials: int | None = None,
    seconds: float | None = None,
    journal: str | Path | None = None,
    groups: ArrayLike | None = None,
    holdout: str = "random",
    random_state: RandomState = None,
    verbose: int = 0,
    on_trial: Callable[[TrialRow], None] | None = None,
) -> Tuning:
    """Search for parameters that are better than the defaults, or say that the defaults stand.

    The first trial is the model as given, the second one the same trained for four times as long; further ones are
    suggested by Optuna's tree-structured Parzen estimator. All train on the same rows and are compared on the same
    others, so that differences are paired. Of all trials within one standard error of the best one, the defaults are
    taken, else that with the smallest code and the fewest weights. It and the defaults are trained again on all of
    these rows and compared on a fifth of the rows that no trial has seen: the `verdict`. What wins there beyond chance
    (95 %), else the defaults, is fitted to all rows.

    Parameters
    ----------
    X : array-like, frame, sparse matrix or images of shape (n, ...), n at least 30; or a source of rows
        As the model's `fit` takes it; a file is read into memory.
    y : array-like of shape (n,), optional
        Labels to compare trials by. No autoencoder is trained on them.
    model : AutoEncoder, AnomalyDetector or Imputer, optional
        The defaults to start from: any setting, or a preset of `zoo`. None: ``AutoEncoder()``.
    objective : str, default="auto"
        By what trials are compared.

        - "error": the reconstruction error of an autoencoder, in parts of the error of the means; it does not depend
          on likelihood or scaling. More numbers always reconstruct better, so that the size of the code is fixed unless
          it is searched.
        - "score": log p(x) in nats per row, by which the size of the code is searched, too.
        - "probe": accuracy, or R², with which a linear reader and nearest neighbours read y from codes.
        - "auroc": area under the ROC curve of the scores of a detector or an autoencoder; y is 1 for anomalies.
        - "impute": the error of an imputer on cells that were hidden.
        - "auto": "auroc" for a detector, "impute" for an imputer, "probe" for an autoencoder with y; without y "error",
          or "score" if `space` has the size of the code.
        - The name of one that you registered with `isthmus.tasks.tuning.objective.objective`.
    space : dict, optional
        What to search, by names of parameters: ranges ``(1, 64)``, ``(1e-4, 1e-2, "log")``, or lists of values. Nested
        parameters as in scikit-learn (``"penalty__weight"``); ``"preset"``, a list of presets of `zoo`; their arguments
        (``"k_sparse.top_k"``). None: widths, learning rate, epochs, penalties, corruptions and presets that suit model,
        data and objective.
    trials : int, optional
        How many trials, the first two and those of other processes included. None: 30, or as many as the time allows.
    seconds : float, optional
        Time for the trials; the one that runs then is cut off. The defaults are always measured, and the fits at the
        end come on top.
    journal : str or Path, optional
        A file that every trial is recorded in. With the same journal a search that was ended or killed goes on where it
        was, and several processes share one search; it is refused for other data, models or spaces. Beside it lies
        ``.NAME.lock``, an empty file.
    groups : array-like of shape (n,), optional
        Labels, such as patients: rows of one label are on one side of every comparison.
    holdout : {"random", "last"}, default="random"
        Which rows are held out: "last" for rows in the order of time.
    random_state : int, RandomState, Generator or None, default=None
        The same seed searches the same way on the same machine, in one process and without `seconds`. None takes the
        seed of the journal, if it has one.
    verbose : int, default=0
        1 prints a line per trial.
    on_trial : callable, optional
        Called with the row of `Tuning.table` of every trial of this process that has ended.

    Returns
    -------
    Tuning
        Table, plot, verdict, and `best_estimator_`.

    Raises
    ------
    ValueError
        If data, labels, objective or space are invalid, or the journal is of another search; and whatever the defaults
        raise. Errors of other trials are recorded in the table.
    OSError
        If the journal cannot be written.
    MissingExtraError
        If Optuna is not installed.

    References
    ----------
    J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, "Algorithms for Hyper-Parameter Optimization", NIPS, 2011.
    T. Akiba, S. Sano, T. Yanase, T. Ohta and M. Koyama, "Optuna", KDD, 2019.
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees", 1984 (one standard error).

    Examples
    --------
    >>> from isthmus import AutoEncoder, tune
    >>> X = np.random.default_rng(0).normal(size=(120, 5))
    >>> found = tune(X, model=AutoEncoder(2, epochs=2), space={"hidden": [(8,), (16,)]}, trials=3, random_state=0)
    >>> len(found.table), found.objective
    (3, 'error')
    """
    optuna_package()
    begun = time.monotonic()
    limit = UNLIMITED if trials is None and seconds is not None else TRIALS
    wanted = limit if trials is None else whole_number("trials", trials, 1)
    deadline = math.inf if seconds is None else begun + positive_number("seconds", seconds)
    kept = Journal(None if journal is None else Path(journal))
    try:
        with quiet():
            search = searching(
                X, y, model, objective, space, groups, holdout, random_state, kept, wanted, deadline, verbose, on_trial
            )
            whole = search.run()
            return finished(search, X, interrupted=not whole)
    finally:
        kept.close()


def searching(
    X: object,
    y: ArrayLike | None,
    model: BaseEstimator | None,
    objective: str,
    space: Mapping[str, object] | None,
    groups: ArrayLike | None,
    holdout: str,
    random_state: RandomState,
    journal: Journal,
    trials: int,
    deadline: float,
    verbose: int,
    on_trial: Callable[[TrialRow], None] | None,
) -> Search:
    """Check everything, and return a search that is ready to run."""
    model = AutoEncoder() if model is None else clone(model)
    stated = None if space is None else dimensions(space)
    rows = in_memory(X)
    labels = checked_labels(y, row_count(rows))
    kind = objective_for(objective, model, labels is not None)
    if objective == "auto" and kind.name == "error" and "latent" in (stated or {}):
        kind = objective_for("score", model, labels is not None)
    study = opened(journal)
    seed = seed_of(study, journal, random_state)
    own_groups = None if groups is None else np.asarray(groups)
    parts = split(row_count(rows), seed, holdout, own_groups, kind.classes(labels))
    data = Data(rows, labels, parts, seed, own_groups)
    seeded = with_seed(model, seed)
    measured = kind(seeded, data)
    measured.prepare(set(stated or ()))
    found = dimensions(measured.space()) if stated is None else stated
    blueprint = Blueprint(measured.model, found, measured.fixed(set(found)))
    asked = f"{holdout}, {'no groups' if groups is None else 'groups'}, random_state {seed}"
    begin(study, journal, blueprint, measured, fingerprint(rows, labels, model, kind.name, found, asked))

    def told(trial: "FrozenTrial") -> None:
        finish = Finish(study.trials, blueprint, measured, data)
        if not finish.candidates or not (verbose or on_trial):
            return
        row = next((row for row in finish.rows() if row["trial"] == trial.number), None)
        if row is not None and verbose:
            print(line(row, measured), flush=True)
        if row is not None and on_trial is not None:
            on_trial(row)

    return Search(study, journal, blueprint, measured, data, trials, deadline, seed, told)


def opened(journal: Journal) -> "Study":
    """Return the study of a journal; a new one if it has none yet."""
    optuna = optuna_package()
    study: Study = optuna.create_study(
        storage=journal.storage,
        study_name=STUDY,
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=FIRST_LOOK),
    )
    return study


def seed_of(study: "Study", journal: Journal, random_state: RandomState) -> int:
    """Return the seed of a search: the one given, that of the journal, or a new one, which the journal keeps."""
    with journal.claiming():
        known = study.user_attrs.get("seed")
        if known is not None and random_state is None:
            return int(known)
        seed = int(checks.seed(random_state)) % 2**31
        if known is None:
            study.set_user_attr("seed", seed)
        return seed


def begin(
    study: "Study",
    journal: Journal,
    blueprint: Blueprint,
    objective: Objective,
    own: dict[str, str],
) -> None:
    """Record what a study is about and its first trials; refuse to continue another one."""
    with journal.claiming():
        known = study.user_attrs.get("fingerprint")
        if known is not None:
            refuse_other(known, own, str(journal.path))
            return
        roles = {trial.user_attrs.get("role") for trial in study.trials}
        if DEFAULTS not in roles:
            study.enqueue_trial(blueprint.default_records(), user_attrs={"role": DEFAULTS})
        if LONGER not in roles and objective.longer(blueprint.defaults()) is not None:
            study.enqueue_trial({}, user_attrs={"role": LONGER})
        study.set_user_attr("fingerprint", own)


def finished(search: Search, X: object, *, interrupted: bool) -> Tuning:
    """Return what a search has found, with the best estimator fitted to all rows.

    Raises
    ------
    KeyboardInterrupt
        If the search was ended before the defaults were measured.
    """
    finish = Finish(search.study.trials, search.blueprint, search.objective, search.data)
    if not any(one.default for one in finish.candidates):
        raise KeyboardInterrupt
    if interrupted:
        warnings.warn("the search was interrupted: it ends with the best trial so far", TrainingWarning, stacklevel=3)
    chosen, best = finish.chosen()
    verdict = finish.verdict(chosen)
    estimator = finish.estimator(chosen) if verdict.wins else search.objective.original
    return Tuning(
        finish.rows(),
        chosen,
        best,
        verdict,
        finish.parameters(chosen),
        search.objective.refitted(estimator, X),
        objective=search.objective.name,
        measure=search.objective.measure,
        rows=str(search.data.split),
        importance=importance(search.study),
        interrupted=interrupted,
    )


def importance(study: "Study") -> dict[str, float]:
    """Return the share of each dimension in the differences between trials."""
    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE" and trial.params]
    values = {trial.value for trial in complete}
    varied = {(name, value) for trial in complete for name, value in trial.params.items()}
    if len(values) < LEAST_FOR_IMPORTANCE or len(varied) == len({name for name, _ in varied}):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a value of some dimension was tried once only
        found = optuna_package().importance.get_param_importances(study)
    return {name: float(share) for name, share in found.items()}


def checked_labels(y: ArrayLike | None, rows: int) -> np.ndarray | None:
    """Return labels as an array (n,).

    Raises
    ------
    ValueError
        If there is not one per row, or one is missing.
    """
    if y is None:
        return None
    labels = np.asarray(y)
    if labels.shape != (rows,):
        raise ValueError(f"y must have one label per row of X, {rows}; got shape {labels.shape}")
    missing = [label is None or label != label for label in labels.tolist()]
    if any(missing):
        raise ValueError(f"y has {sum(missing)} missing labels: leave these rows out")
    return labels


def with_seed(model: BaseEstimator, seed: int) -> BaseEstimator:
    """Return the model with a seed, the same in all trials, unless it has one."""
    given = model.get_params(deep=False)
    if "random_state" in given and given["random_state"] is None:
        return clone(model).set_params(random_state=seed)
    return model


def line(row: TrialRow, objective: Objective) -> str:
    """Return what is told of a trial that has ended."""
    value = row["value"]
    words = "no value" if value is None else f"{objective.measure} {value:.5g}"
    note = f" ({row['note']})" if row["note"] else ""
    return f"trial {row['trial']}, {row['state']}: {words}{note}; {row['seconds'] or 0:.1f} s"
