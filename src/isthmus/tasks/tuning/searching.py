"""`Search`: trials are chosen, run and recorded, by one process or by several that share a journal."""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.estimators import AutoEncoder
from isthmus.tasks.tuning.blueprint import Blueprint
from isthmus.tasks.tuning.journal import Journal
from isthmus.tasks.tuning.objective import Data, Objective
from isthmus.tasks.tuning.optuna_package import optuna_package
from isthmus.tasks.tuning.pruning import OutOfTimeError, Watch
from isthmus.tasks.tuning.selection import mean_loss, packed, unpacked
from isthmus.tasks.tuning.trial_row import DEFAULTS

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

LONGER = "defaults, trained for longer"
"""The role of the second trial; that of the first one is `DEFAULTS`."""
STARTUP = 8
"""Trials at random before the sampler follows what it has seen."""
ATTEMPTS = 3
"""How often a trial is begun whose process dies; that of the defaults always is."""
PAUSE = 0.05
"""Seconds between looks at the trials of other processes."""


@dataclass(frozen=True, eq=False)
class Search:
    """Trials of a study until there are enough of them, or the time is over.

    Parameters
    ----------
    study, journal
        Where trials are recorded.
    blueprint, objective, data
        What they try, and how they are measured.
    trials : int
        How many there are to be, those of other processes included.
    deadline : float
        No trial but that of the defaults begins or goes on after it, by `time.monotonic`.
    seed : int
        Of the sampler.
    told : callable
        Called with every trial of this process that has ended.
    """

    study: "Study"
    journal: Journal
    blueprint: Blueprint
    objective: Objective
    data: Data
    trials: int
    deadline: float
    seed: int
    told: Callable[["FrozenTrial"], None]

    def run(self) -> bool:
        """Search; return False if Ctrl-C ended it."""
        try:
            while (trial := self.next_trial()) is not None:
                try:
                    self.evaluate(trial)
                finally:
                    self.journal.end(trial.number)
                self.told(self.study.trials[trial.number])
        except KeyboardInterrupt:
            return False
        return True

    # -- which trial is next ------------------------------------------------------------------------------------------

    def next_trial(self) -> "Trial | None":
        """Return the next trial of this process; None if there are enough, or the time is over.

        Waits for other processes: their trials may be the best, and if one dies its trial is begun again here.
        """
        while True:
            with self.journal.claiming():
                running = self.begin_again()
                counted, done = self.counted()
                late = time.monotonic() > self.deadline
                if done and late:
                    return None
                if counted < self.trials and not (late and running):
                    return self.asked()
            if not running:
                return None
            time.sleep(PAUSE)

    def asked(self) -> "Trial":
        """Begin a trial."""
        seed = int(np.random.SeedSequence([self.seed, len(self.study.trials)]).generate_state(1)[0])
        self.study.sampler = optuna_package().samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        trial = self.study.ask()
        self.journal.start(trial.number)
        return trial

    def counted(self) -> tuple[int, bool]:
        """Return how many trials there are that were not begun again, and whether the defaults are measured."""
        waiting, complete = (optuna_package().trial.TrialState[name] for name in ("WAITING", "COMPLETE"))
        trials = self.study.trials
        replaced = {trial.user_attrs.get("replaces") for trial in trials}
        counted = sum(trial.state != waiting and trial.number not in replaced for trial in trials)
        done = any(trial.state == complete and trial.user_attrs.get("role") == DEFAULTS for trial in trials)
        return counted, done

    def begin_again(self) -> bool:
        """Put trials back whose process died; return whether others run elsewhere."""
        state = optuna_package().trial.TrialState
        running = False
        for trial in self.study.trials:
            if trial.state != state.RUNNING:
                continue
            if self.journal.runs_elsewhere(trial.number):
                running = True
            # A process records the end of its trial before it lets go of it.
            elif self.study.trials[trial.number].state == state.RUNNING:
                attempt = trial.user_attrs.get("attempt", 1)
                if attempt < ATTEMPTS or trial.user_attrs.get("role") == DEFAULTS:
                    self.put_back(trial, attempt=attempt + 1)
                self.study.tell(trial.number, state=state.FAIL)
        return running

    def put_back(self, trial: "FrozenTrial | Trial", attempt: int) -> None:
        """Let a trial be begun again, with the same values."""
        if all(other.user_attrs.get("replaces") != trial.number for other in self.study.trials):
            role = trial.user_attrs.get("role")
            records = self.blueprint.default_records() if role == DEFAULTS else trial.params
            attributes = {"replaces": trial.number, "attempt": attempt}
            self.study.enqueue_trial(records, user_attrs=attributes if role is None else attributes | {"role": role})

    # -- one trial ----------------------------------------------------------------------------------------------------

    def evaluate(self, trial: "Trial") -> None:
        """Run a trial and record what became of it.

        Raises
        ------
        KeyboardInterrupt
            After the trial was put back.
        Exception
            If the defaults fail; any other trial's error is recorded.
        """
        optuna = optuna_package()
        fail, started = optuna.trial.TrialState.FAIL, time.perf_counter()
        role = trial.user_attrs.get("role")
        try:
            losses, size = self.measured(trial)
            trial.set_user_attr("losses", packed(losses))
            trial.set_user_attr("latent", size[0])
            trial.set_user_attr("weights", size[1])
            trial.set_user_attr("seconds", time.perf_counter() - started)
            self.study.tell(trial, mean_loss(losses, self.objective.strata(self.data.split.compared)))
        except optuna.TrialPruned:
            trial.set_user_attr("seconds", time.perf_counter() - started)
            self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        except OutOfTimeError:
            self.put_back(trial, attempt=1)
            self.study.tell(trial, state=fail)
        except KeyboardInterrupt:
            self.put_back(trial, attempt=1)
            self.study.tell(trial, state=fail)
            raise
        except Exception as error:
            trial.set_user_attr("seconds", time.perf_counter() - started)
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            if role == DEFAULTS:
                self.put_back(trial, attempt=1)
            self.study.tell(trial, state=fail)
            if role == DEFAULTS:
                raise

    def measured(self, trial: "Trial") -> tuple[np.ndarray, tuple[int, int]]:
        """Return the loss of every row on which trials are compared, and the size of the model."""
        model = self.estimator_of(trial)
        twin = self.twin(trial)
        if twin is not None:
            trial.set_user_attr("twin", twin.number)
            return unpacked(twin.user_attrs["losses"]), (twin.user_attrs["latent"], twin.user_attrs["weights"])
        losses, size = [], (0, 0)
        alone, role = len(self.data.split.parts) == 1, trial.user_attrs.get("role")
        deadline = math.inf if role == DEFAULTS else self.deadline
        for number, part in enumerate(self.data.split.parts):
            if time.monotonic() > deadline:
                raise OutOfTimeError
            if isinstance(model, AutoEncoder):
                watch = Watch(
                    trial if alone else None, partial(self.objective.watched, part=part), deadline, role is None
                )
                model.set_params(callbacks=[*self.blueprint.model.get_params()["callbacks"], watch])
            with attentive():
                fitted = self.objective.fit(model, part.training)
                losses.append(self.objective.losses(fitted, part.held_out, part.training))
            size = max(size, self.objective.size(fitted))
            self.look_at_parts(trial, losses, number)
        found = np.concatenate(losses)
        if not np.isfinite(found).all():
            raise ValueError(f"the loss of {int((~np.isfinite(found)).sum())} held-out rows is not finite")
        return found, size

    def look_at_parts(self, trial: "Trial", losses: list[np.ndarray], number: int) -> None:
        """Prune a trial that falls behind, where several parts are held out in turn."""
        parts = self.data.split.parts
        if number + 1 == len(parts):
            return
        strata = self.objective.strata(np.concatenate([part.held_out for part in parts[: number + 1]]))
        trial.report(mean_loss(np.concatenate(losses), strata), number)
        if trial.user_attrs.get("role") is None and trial.should_prune():
            raise optuna_package().TrialPruned

    def estimator_of(self, trial: "Trial") -> BaseEstimator:
        """Return the estimator that a trial tries."""
        role = trial.user_attrs.get("role")
        if role is None:
            return self.blueprint.suggested(trial)
        if role == LONGER:
            longer = self.objective.longer(self.blueprint.defaults())
            assert longer is not None, "it is begun only if there is one"
            return longer
        for name in self.blueprint.default_records():
            self.blueprint.space[name].suggest(trial)
        return self.blueprint.defaults()

    def twin(self, trial: "Trial") -> "FrozenTrial | None":
        """Return an earlier trial of the same values, if there is one: it would measure the same."""
        complete = optuna_package().trial.TrialState.COMPLETE
        for other in self.study.trials[: trial.number]:
            same = other.state == complete and other.params == trial.params
            if same and LONGER not in (other.user_attrs.get("role"), trial.user_attrs.get("role")):
                return other
        return None


@contextmanager
def attentive() -> Iterator[None]:
    """Let training warn of nothing meanwhile, except that Ctrl-C, which ends a training, ends the search, too."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    if any("training was interrupted" in str(warning.message) for warning in told):
        raise KeyboardInterrupt
