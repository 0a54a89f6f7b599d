"""`MLflow`: a callback that writes a training down as a run of MLflow."""

import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Protocol

from isthmus.core.extras import extra_module
from isthmus.core.json_type import Json
from isthmus.engine.callbacks import TrainedModel, TrainingRun
from isthmus.engine.tracking.tracker import Outcome, Tracker, best_of, facts_of

DATABASE = "sqlite:///mlflow.db"
"""Where runs are written unless the user said where."""
EVERY = 1.0
"""Seconds between writes: one takes as long as many epochs of a small table."""
MOST_METRICS, MOST_PARAMETERS, LONGEST = 1000, 100, 6000
"""Metrics and parameters that MLflow takes at once, and characters of a parameter."""
STATUS = {Outcome.FINISHED: "FINISHED", Outcome.INTERRUPTED: "KILLED", Outcome.FAILED: "FAILED"}


class RunData(Protocol):
    """What MLflow knows of a run."""

    params: Mapping[str, str]


class RunInfo(Protocol):
    """What names a run."""

    run_id: str


class Run(Protocol):
    """A run of MLflow."""

    info: RunInfo
    data: RunData


class Experiment(Protocol):
    """An experiment of MLflow."""

    experiment_id: str


class Client(Protocol):
    """What is used of `mlflow.MlflowClient`."""

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name."""

    def create_experiment(self, name: str) -> str:
        """Create an experiment, and return its identifier."""
        ...

    def create_run(self, experiment_id: str, *, run_name: str | None) -> Run:
        """Create a run."""
        ...

    def get_run(self, run_id: str) -> Run:
        """Return a run."""
        ...

    def update_run(self, run_id: str, status: str) -> None:
        """Change the status of a run."""

    def log_batch(self, run_id: str, metrics: Sequence[object] = (), params: Sequence[object] = ()) -> None:
        """Write metrics and parameters."""

    def log_artifact(self, run_id: str, local_path: str) -> None:
        """Keep a file."""

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Write a tag."""

    def set_terminated(self, run_id: str, status: str) -> None:
        """End a run."""


class MLflow(Tracker):
    """Write training to MLflow: parameters, every term of the objective by epoch, and the model file if wanted.

    A run that is active (``with mlflow.start_run(): ...``) is used, and not ended. Otherwise each training is a run of
    its own, which ends as finished, killed (after an interruption) or failed; it never becomes the active one. Metrics
    are written about once per second.

    Parameters
    ----------
    experiment : str, default="isthmus"
        The experiment of the run; it is created if there is none.
    name : str, optional
        The name of the run; None lets MLflow choose one.
    tracking_uri : str, optional
        Where runs are written. None: as MLflow was told (`mlflow.set_tracking_uri`, ``MLFLOW_TRACKING_URI``), else the
        file mlflow.db in the current folder, which ``mlflow ui --backend-store-uri sqlite:///mlflow.db`` shows.
    save_model : bool, default=False
        Whether the fitted autoencoder is kept as the artifact model.isthmus, which `isthmus.load` reads.

    Attributes
    ----------
    run_id : str
        The identifier of the run, or of the last one; "" before the first.

    Raises
    ------
    MissingExtraError
        If mlflow is not installed; the message names the command that installs it.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> AutoEncoder(latent=2, callbacks=[MLflow("digits")]).callbacks[0].experiment
    'digits'
    """

    def __init__(
        self,
        experiment: str = "isthmus",
        name: str | None = None,
        *,
        tracking_uri: str | None = None,
        save_model: bool = False,
    ) -> None:
        mlflow()
        self.experiment, self.name = experiment, name
        self.tracking_uri, self.save_model = tracking_uri, save_model
        self.run_id = ""
        self.uri = ""
        self.own = True
        self.waiting: list[tuple[str, float, int, int]] = []
        self.written = 0.0

    def begin(self, run: TrainingRun) -> None:
        """Take the active run, or create one, and write the parameters."""
        active = mlflow().active_run()
        self.waiting, self.written, self.own = [], time.monotonic(), active is None
        if active is not None:
            self.uri, self.run_id = mlflow().get_tracking_uri(), active.info.run_id
        elif run.earlier and self.run_id:
            self.client.update_run(self.run_id, status="RUNNING")
        else:
            self.uri = self.tracking_uri or uri_of_the_user() or DATABASE
            self.run_id = self.client.create_run(self.experiment_id(), run_name=self.name).info.run_id
        if not run.earlier:
            self.write_parameters(facts_of(run))

    @property
    def client(self) -> Client:
        """MLflow's client of the place where this run is."""
        client: Client = mlflow().MlflowClient(self.uri)
        return client

    def experiment_id(self) -> str:
        """Return the identifier of the experiment, which is created if there is none."""
        known = self.client.get_experiment_by_name(self.experiment)
        return str(self.client.create_experiment(self.experiment) if known is None else known.experiment_id)

    def write_parameters(self, values: dict[str, Json]) -> None:
        """Write parameters that the run does not have yet: MLflow allows none to change."""
        known = self.client.get_run(self.run_id).data.params
        kind = mlflow("mlflow.entities").Param
        new = iter(
            [kind(key_of(name), str(value)[:LONGEST]) for name, value in values.items() if key_of(name) not in known]
        )
        while some := list(islice(new, MOST_PARAMETERS)):
            self.client.log_batch(self.run_id, params=some)

    def log(self, run: TrainingRun, rows: Sequence[dict[str, float]]) -> None:
        """Take the values of the rows, and write what waits if it is time."""
        now = int(time.time() * 1000)
        self.waiting += [
            (key_of(name), float(value), now, int(row["epoch"]))
            for row in rows
            for name, value in row.items()
            if name != "epoch"
        ]
        if time.monotonic() - self.written >= EVERY:
            self.write_metrics()

    def write_metrics(self) -> None:
        """Write the values that wait."""
        kind = mlflow("mlflow.entities").Metric
        waiting, self.waiting = iter([kind(*value) for value in self.waiting]), []
        while some := list(islice(waiting, MOST_METRICS)):
            self.client.log_batch(self.run_id, metrics=some)
        self.written = time.monotonic()

    def finish(self, run: TrainingRun, outcome: Outcome) -> None:
        """Write what waits, and end the run unless it is the user's."""
        if not self.run_id:
            return
        try:
            self.write_metrics()
            self.client.set_tag(self.run_id, "isthmus.stopped", run.history.stopped or outcome.value)
        finally:
            if self.own:
                self.client.set_terminated(self.run_id, STATUS[outcome])

    def keep(self, run: TrainingRun, model: TrainedModel) -> None:
        """Write the losses of the best epoch, the health of the code, the floor, and the model file if wanted."""
        history, now = model.history, int(time.time() * 1000)
        step = int(history.rows[-1]["epoch"]) if history.rows else 0
        best = {f"best_{name}": value for name, value in best_of(history).items() if name.endswith("loss")}
        found = best | history.health | {"best_epoch": history.best_epoch}
        self.waiting += [(key_of(name), float(value), now, step) for name, value in found.items()]
        self.write_metrics()
        if model.floor:
            self.client.set_tag(self.run_id, "isthmus.floor", model.floor)
        if self.save_model:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.isthmus"
                model.save(path)
                self.client.log_artifact(self.run_id, str(path))


def mlflow(module: str = "mlflow") -> ModuleType:
    """Return MLflow's module of that name, or raise `MissingExtraError`."""
    return extra_module(module, "MLflow", "mlflow", extra="mlflow")


def uri_of_the_user() -> str:
    """Return where the user told MLflow to write; "" if nowhere."""
    told = mlflow().is_tracking_uri_set() or "MLFLOW_TRACKING_URI" in os.environ
    return str(mlflow().get_tracking_uri()) if told else ""


def key_of(name: str) -> str:
    """Return a name with the characters that MLflow allows.

    >>> key_of("penalty.beta"), key_of("β")
    ('penalty.beta', '_')
    """
    return re.sub(r"[^A-Za-z0-9_\-. /]", "_", name)
