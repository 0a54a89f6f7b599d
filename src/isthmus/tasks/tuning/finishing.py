"""The end of a search: which trial is taken, and whether it is better than the defaults on rows that none has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.tasks.tuning.blueprint import Blueprint
from isthmus.tasks.tuning.objective import Data, Objective
from isthmus.tasks.tuning.searching import LONGER, attentive
from isthmus.tasks.tuning.selection import Candidate, chosen, difference, mean_loss, unpacked
from isthmus.tasks.tuning.trial_row import DEFAULTS, TrialRow
from isthmus.tasks.tuning.verdict import Verdict

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, eq=False)
class Finish:
    """The trials of a search that were completed, and what follows from them.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All of the study.
    blueprint, objective, data
        Of the search.
    """

    trials: Sequence["FrozenTrial"]
    blueprint: Blueprint
    objective: Objective
    data: Data

    @property
    def candidates(self) -> list[Candidate]:
        """The trials that were measured to their end."""
        return [
            Candidate(
                trial.number,
                unpacked(trial.user_attrs["losses"]),
                trial.user_attrs.get("role") == DEFAULTS,
                trial.user_attrs["latent"],
                trial.user_attrs["weights"],
                len(self.parameters(trial.number)),
            )
            for trial in self.trials
            if trial.state.name == "COMPLETE"
        ]

    @property
    def strata(self) -> np.ndarray | None:
        """Which of the rows on which trials are compared are averaged apart."""
        return self.objective.strata(self.data.split.compared)

    def chosen(self) -> tuple[int, int]:
        """Return the number of the trial that is taken, and of the best one."""
        taken, best = chosen(self.candidates, self.strata)
        return taken.number, best.number

    def role(self, number: int) -> str:
        """Return what is special about a trial; "" for most."""
        return str(self.trials[number].user_attrs.get("role", ""))

    def parameters(self, number: int) -> dict[str, object]:
        """Return the parameters in which a trial differs from the defaults."""
        if self.role(number) == DEFAULTS:
            return {}
        if self.role(number) == LONGER:
            usual = self.blueprint.defaults().get_params()
            own = self.estimator(number).get_params()
            return {name: own[name] for name in own if "epochs" in name and own[name] != usual[name]}
        usual_records = self.blueprint.default_records()
        values = self.blueprint.values(self.trials[number].params)
        return {
            name: value
            for name, value in values.items()
            if self.blueprint.space[name].recorded(value) != usual_records.get(name)
        }

    def estimator(self, number: int) -> BaseEstimator:
        """Return the estimator of a trial, not fitted."""
        if self.role(number) == DEFAULTS:
            return self.blueprint.defaults()
        if self.role(number) == LONGER:
            longer = self.objective.longer(self.blueprint.defaults())
            assert longer is not None, "it was tried"
            return longer
        return self.blueprint.recorded(self.trials[number].params)

    def longer(self) -> int | None:
        """Return the number of the trial of the defaults that were trained for longer, if it was completed."""
        return next((one.number for one in self.candidates if self.role(one.number) == LONGER), None)

    def test_losses(self, number: int) -> np.ndarray:
        """Return the losses on the test rows, for a model fitted to all others."""
        others = self.data.split.others
        with attentive():
            fitted = self.objective.fit(self.estimator(number), others)
            return self.objective.losses(fitted, self.data.split.test, others)

    def verdict(self, number: int) -> Verdict:
        """Compare a trial with the defaults on rows that no trial has seen."""
        test = self.data.split.test
        strata = self.objective.strata(test)
        freedom = len(test) - 1 if strata is None else int(np.unique(strata, return_counts=True)[1].min()) - 1
        defaults = next(one.number for one in self.candidates if one.default)
        without = self.test_losses(defaults)
        value, measure = self.objective.value, self.objective.measure
        usual = value(mean_loss(without, strata))
        if number == defaults:
            return Verdict(measure, usual, usual, 0.0, 0.0, len(test), freedom, False)
        tuned = self.test_losses(number)
        gain, longer = difference(without, tuned, strata), self.longer()
        beside = None
        if longer is not None and longer != number:
            beside = value(mean_loss(self.test_losses(longer), strata))
        reached = value(mean_loss(tuned, strata))
        return Verdict(measure, reached, usual, gain.mean, gain.standard_error, len(test), freedom, True, beside)

    def rows(self) -> list[TrialRow]:
        """Return the table of all trials, one dict per trial that ended or was begun."""
        measured = {one.number: one.losses for one in self.candidates}
        best = self.chosen()[1]
        replaced = {trial.user_attrs.get("replaces") for trial in self.trials}
        found: list[TrialRow] = []
        for trial in self.trials:
            if trial.number in replaced or trial.state.name == "WAITING":
                continue
            losses = measured.get(trial.number)
            behind = None if losses is None else difference(losses, measured[best], self.strata)
            loss = trial.value if losses is None else mean_loss(losses, self.strata)
            attributes = trial.user_attrs
            found.append(
                {
                    "trial": trial.number,
                    "state": {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}.get(
                        trial.state.name, "running"
                    ),
                    "value": None if loss is None else self.objective.value(loss),
                    "behind": None if behind is None else behind.mean,
                    "standard_error": None if behind is None else behind.standard_error,
                    "latent": attributes.get("latent") or None,
                    "weights": attributes.get("weights") or None,
                    "seconds": attributes.get("seconds"),
                    "parameters": self.parameters(trial.number) if losses is not None or trial.params else {},
                    "note": attributes.get("error", self.note(trial)),
                }
            )
        return found

    def note(self, trial: "FrozenTrial") -> str:
        """Return what is to be said of a trial beside its numbers."""
        if trial.state.name == "FAIL":
            return "its process ended"
        twin = trial.user_attrs.get("twin")
        return self.role(trial.number) if twin is None else f"the same as trial {twin}"
