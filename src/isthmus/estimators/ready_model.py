"""`ReadyModel`: what callbacks are told of a model when its training is complete."""

from dataclasses import dataclass
from pathlib import Path

from isthmus.engine.history import History
from isthmus.estimators import model_file, model_state
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.parameters import Parameters


@dataclass(frozen=True)
class ReadyModel:
    """A model and the parameters that it was trained with.

    Parameters
    ----------
    parameters : Parameters
        Of an `AutoEncoder`.
    model : FittedModel
        Complete.
    """

    parameters: Parameters
    model: FittedModel

    @property
    def history(self) -> History:
        """The whole course of training, with the health of the code."""
        return self.model.record.history

    @property
    def floor(self) -> str:
        """The held-out error beside that of a closed form, in words; "" where it was not measured."""
        return self.model.record.report.floor

    def save(self, path: Path) -> None:
        """Write the model to a file that `isthmus.load` reads, as `AutoEncoder.save` does."""
        parameters = {name: getattr(self.parameters, name) for name in Parameters.__annotations__}
        model_file.write(path, "AutoEncoder", parameters, model_state.state_of(self.model))
