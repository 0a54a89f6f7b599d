"""Every preset can be tracked: its parameters and terms suit the tools, and come back."""

import numpy as np
import pytest

from isthmus import History, RecordHistory, TensorBoard
from isthmus.engine.tracking.mlflow import LONGEST, key_of
from isthmus.estimators.settings import settings_of
from isthmus.zoo.preset import FAMILIES

pytest.importorskip("tensorboard")
X = np.random.default_rng(0).random((32, 16))
SETTINGS = {
    "k_sparse": {"top_k": 4},
    "convolutional": {"shape": (4, 4), "channels": (2,)},
    "convolutional_variational": {"shape": (4, 4), "channels": (2,)},
    "vector_quantised": {"codes": 4},
    "finite_scalar_quantised": {"levels": (3, 3)},
}


@pytest.mark.parametrize(
    "preset", [preset for presets in FAMILIES.values() for preset in presets], ids=lambda preset: preset.__name__
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # one epoch suits no preset
def test_every_preset(preset, tmp_path):
    record, board = RecordHistory(tmp_path / "run.jsonl"), TensorBoard(tmp_path / "runs")
    own = SETTINGS.get(preset.__name__, {})
    ae = preset(latent=8, epochs=1, validation=0.25, floor="tell", random_state=0, callbacks=[record, board], **own)
    ae.fit(X)
    assert not record.failed
    assert not board.failed
    assert History.from_jsonl(record.path).to_dict() == ae.history_.to_dict()
    names = {*settings_of(ae), *ae.history_.columns}
    assert {key_of(name) for name in names} == names
    assert not [name for name in names if name.startswith("_")]
    assert max(len(str(value)) for value in settings_of(ae).values()) < LONGEST
