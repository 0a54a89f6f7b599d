"""`TensorBoard`: a callback that writes the curves of training as TensorBoard reads them."""

import os
import socket
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Protocol

from isthmus.core.extras import extra_module
from isthmus.core.json_type import Json
from isthmus.engine.callbacks import TrainedModel, TrainingRun
from isthmus.engine.tracking.tracker import Tracker, best_of, facts_of

VALIDATED = "val_"
FORMAT = "brain.Event:2"
"""The first event of every file says this."""


class Event(Protocol):
    """What is used of tensorboard's events."""

    def __init__(self, *, wall_time: float, step: int = 0, file_version: str = "", summary: object = None) -> None: ...

    def SerializeToString(self) -> bytes:  # noqa: N802
        """Return the event as bytes."""
        ...


class TensorBoard(Tracker):
    """Write the terms of the objective to TensorBoard while training goes on; look with ``tensorboard --logdir runs``.

    Each training is a folder of its own, so that curves can be compared. A term is drawn in training and in validation
    under one heading ("loss/train", "loss/validation"); beside them are the learning rate and the seconds. The
    parameters of the estimator are on the pages "text" and "hparams", there with the loss of the best epoch.

    Parameters
    ----------
    folder : str or Path, default="runs"
        The folder of all runs.
    name : str, optional
        Of this run's folder; None takes the time. A number is added to a name that is taken.

    Raises
    ------
    MissingExtraError
        If tensorboard is not installed; the message names the command that installs it.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from isthmus import AutoEncoder
    >>> board = TensorBoard(tempfile.mkdtemp(), name="first")
    >>> ae = AutoEncoder(2, epochs=3, callbacks=[board], random_state=0).fit(load_iris().data)
    >>> board.path.name, len(list(board.path.iterdir()))
    ('first', 1)
    """

    def __init__(self, folder: str | Path = "runs", name: str | None = None) -> None:
        tensorboard_module("tensorboard")
        self.folder, self.name = Path(folder), name
        self.path = self.folder
        """The folder of the current run, or of the last one."""
        self.file = self.path

    def begin(self, run: TrainingRun) -> None:
        """Make the folder of the run, and write its parameters."""
        if run.earlier and self.file.is_file():
            return
        self.path = new_folder(self.folder, self.name or datetime.now().strftime("%Y-%m-%dT%H-%M-%S"))
        self.file = self.path / f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.0"
        pairs = facts_of(run)
        text = "\n".join(["| | |", "|---|---|", *(f"| {name} | {markdown(value)} |" for name, value in pairs.items())])
        first = event_class()(wall_time=time.time(), file_version=FORMAT)
        self.write([first, event(summaries().text("settings", text), 0)])

    def log(self, run: TrainingRun, rows: Sequence[dict[str, float]]) -> None:
        """Write the scalars of the rows."""
        scalar = summaries().scalar
        self.write(
            event(scalar(tag_of(name), value), int(row["epoch"]))
            for row in rows
            for name, value in row.items()
            if name != "epoch"
        )

    def keep(self, run: TrainingRun, model: TrainedModel) -> None:
        """Write the parameters with the losses of the best epoch, and the floor."""
        parameters = {name: hparam(value) for name, value in run.settings.items()}
        best = {f"best/{name}": value for name, value in best_of(model.history).items() if name.endswith("loss")}
        step = int(model.history.rows[-1]["epoch"]) if model.history.rows else 0
        scalars = [event(summaries().scalar(name, value), step) for name, value in best.items()]
        parts = [event(part, 0) for part in summaries().hparams(parameters, best)]
        floor = [event(summaries().text("floor", model.floor), 0)] if model.floor else []
        self.write([*parts, *scalars, *floor])

    def write(self, events: Iterable[Event]) -> None:
        """Add events to the file: whole records, and nothing stays open."""
        record_writer = tensorboard_module("tensorboard.summary.writer.record_writer").RecordWriter
        with open(self.file, "ab") as file:
            writer = record_writer(file)
            for one in events:
                writer.write(one.SerializeToString())
            writer.flush()


def tensorboard_module(module: str) -> ModuleType:
    """Return a module of tensorboard, or raise `MissingExtraError`."""
    return extra_module(module, "TensorBoard", "tensorboard", extra="tensorboard")


def summaries() -> ModuleType:
    """Return torch's module that makes summaries; it needs tensorboard."""
    return tensorboard_module("torch.utils.tensorboard.summary")


def event_class() -> type[Event]:
    """Return tensorboard's class of events."""
    found: type[Event] = tensorboard_module("tensorboard.compat.proto.event_pb2").Event
    return found


def event(summary: object, step: int) -> Event:
    """Return an event that holds a summary."""
    return event_class()(wall_time=time.time(), step=step, summary=summary)


def tag_of(name: str) -> str:
    """Return the tag of a column of the history.

    >>> tag_of("val_loss"), tag_of("loss"), tag_of("learning_rate")
    ('loss/validation', 'loss/train', 'learning_rate')
    """
    if name in ("learning_rate", "seconds"):
        return name
    return f"{name.removeprefix(VALIDATED)}/{'validation' if name.startswith(VALIDATED) else 'train'}"


def hparam(value: Json) -> bool | int | float | str:
    """Return a parameter as the page "hparams" takes it."""
    return value if isinstance(value, bool | int | float | str) else str(value)


def markdown(value: Json) -> str:
    """Return a value for a cell of a table."""
    return str(value).replace("|", "\\|").replace("\n", " ")


def new_folder(folder: Path, name: str) -> Path:
    """Make a folder of that name, with a number if the name is taken, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path
