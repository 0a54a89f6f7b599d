"""The parameters of an estimator as a flat mapping of plain values."""

import json

import numpy as np
import pytest

from isthmus import KL, MMD, AnomalyDetector, AutoEncoder, ByShape, Callback, Compute, Imputer, MixturePrior, zoo
from isthmus.estimators.settings import settings_of, settings_of_estimator
from isthmus.zoo.preset import FAMILIES

PRESETS = [preset for presets in FAMILIES.values() for preset in presets]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.__name__)
def test_every_preset_has_settings_that_json_can_hold(preset):
    found = settings_of(preset())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == settings_of_estimator(preset())


def test_parts_are_names_and_dots():
    ae = AutoEncoder(latent=2, penalty=[KL(beta=4), MMD(prior=MixturePrior(radius=3.0))], compute=Compute(threads=1))
    found = settings_of(ae)
    assert found["penalty"] == "kl + mmd"
    assert (found["penalty.0.beta"], found["penalty.1.prior"], found["penalty.1.prior.radius"]) == (4, "mixture", 3.0)
    assert found["compute.threads"] == 1
    assert settings_of(zoo.masked())["corruption.rows.rate"] == 0.25
    assert settings_of(AutoEncoder(encoder=ByShape()))["encoder.images.channels"] == [32, 64]


def test_what_json_cannot_hold_is_said_in_words():
    ae = AutoEncoder(
        columns={0: "real", "b": "count"}, validation=np.arange(1000), corruption=object(), callbacks=[Callback()]
    )
    found = settings_of(ae)
    assert found["columns"] == {"0": "real", "b": "count"}
    assert found["validation"] == "1000 values"
    assert found["corruption"].startswith("object: <object")
    assert not {"callbacks", "verbose"} & set(found)


def test_estimators_inside_others():
    found = settings_of_estimator(AnomalyDetector("clean", estimator=zoo.variational(3)))
    assert (found["setting"], found["estimator"], found["estimator.latent"]) == ("clean", "auto_encoder", 3)
    assert settings_of_estimator(Imputer())["estimator"] is None
