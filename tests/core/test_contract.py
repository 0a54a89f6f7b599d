import copy
import io
import pickle
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from sklearn.base import BaseEstimator, clone
from torch import Generator, nn

from isthmus import L1, Dense, Gaussian, GaussianNoise, Tied
from isthmus.core.contract import Code, Part, Step, Stochastic, batch_mean
from isthmus.core.modules import Dropout


@dataclass
class Inner(Part):
    width: int = 3
    name: str = "a"


@dataclass
class Outer(Part):
    inner: Any = field(default_factory=Inner)
    rate: float = 0.5


@dataclass
class Outermost(Part):
    outer: Any = field(default_factory=Outer)


class Estimator(BaseEstimator):
    def __init__(self, encoder=None, penalty=None, latent=2):
        self.encoder = encoder
        self.penalty = penalty
        self.latent = latent


# -- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_by_name():
    outer = Outer(Inner(4))
    assert outer.get_params(deep=False) == {"inner": Inner(4), "rate": 0.5}
    assert outer.get_params() == {"inner": Inner(4), "rate": 0.5, "inner__width": 4, "inner__name": "a"}
    assert Outermost().get_params()["outer__inner__width"] == 3


def test_parameters_of_a_part_that_is_a_name():
    assert Outer(inner="plain").get_params() == {"inner": "plain", "rate": 0.5}


def test_part_without_parameters():
    assert Tied().get_params() == {}
    assert Tied().set_params() == Tied()


def test_set_own_and_nested():
    part = Outermost()
    assert part.set_params(outer__rate=0.1, outer__inner__width=9) is part
    assert part == Outermost(Outer(Inner(9), 0.1))


def test_everything_that_is_got_can_be_set():
    source, target = Outermost(Outer(Inner(7, "b"), 0.2)), Outermost()
    assert target.set_params(**source.get_params()) == source


@pytest.mark.parametrize("nested_first", [True, False])
def test_new_part_gets_the_values_that_are_set_with_it(nested_first):
    old, new = Inner(), Inner()
    params = {"inner__width": 8, "inner": new} if nested_first else {"inner": new, "inner__width": 8}
    outer = Outer(old).set_params(**params)
    assert outer.inner is new
    assert (new.width, old.width) == (8, 3)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("widht", "unknown parameter of Inner 'widht'; did you mean 'width'? (one of: 'width', 'name')"),
        ("zzzz", "unknown parameter of Inner 'zzzz' (one of: 'width', 'name')"),
        ("widht__x", "unknown parameter of Inner 'widht'; did you mean 'width'? (one of: 'width', 'name')"),
        ("width__x", "unknown parameter of Inner 'width__x'; did you mean 'width'? (one of: 'width', 'name')"),
    ],
)
def test_unknown_name(name, sentence):
    inner = Inner()
    with pytest.raises(ValueError, match="unknown parameter of Inner") as error:
        inner.set_params(**{name: 1})
    assert str(error.value) == sentence
    assert inner == Inner()


def test_unknown_nested_name_is_said_of_the_nested_part():
    with pytest.raises(ValueError, match="unknown parameter of Inner 'widht'"):
        Outer().set_params(inner__widht=1)


def test_parts_are_values():
    assert Inner(4) == Inner(4) != Inner(5)
    assert repr(Gaussian(0.5)) == "Gaussian(variance=0.5, activation='identity', floor=1e-06)"


@pytest.mark.parametrize("part", [Outer(Inner(4)), Dense((5, 4), "relu", "batch", 0.1), L1(0.3), GaussianNoise(0.2)])
def test_clone_of_a_part(part):
    copied = clone(part)
    assert copied == part
    assert copied is not part


def test_clone_of_an_estimator_that_holds_parts():
    estimator = Estimator(Dense((5,)), [L1(0.1), L1(0.2)])
    copied = clone(estimator)
    assert copied.get_params(deep=False) == estimator.get_params(deep=False)
    assert copied.encoder is not estimator.encoder
    assert copied.penalty[0] is not estimator.penalty[0]
    copied.set_params(encoder__hidden=(7, 3), encoder__activation="tanh")
    assert copied.encoder == Dense((7, 3), "tanh")
    assert estimator.encoder == Dense((5,))


def test_parameters_of_an_estimator_that_holds_parts():
    params = Estimator(Outer(Inner(4))).get_params()
    assert params["encoder__inner__width"] == 4
    assert Estimator(Outer()).set_params(encoder__inner__width=6).encoder.inner.width == 6


# -- code and step ---------------------------------------------------------------------------------------------------


def test_what_may_be_absent():
    z = torch.zeros(2, 3)
    assert Code(z, z).posterior is None
    assert Step(z, z, Code(z, z), z).weight is None


# -- means over a batch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
def test_batch_mean(shape):
    generator = Generator().manual_seed(0)
    values = torch.randn(6, *shape, dtype=torch.float64, generator=generator)
    times = torch.arange(6)
    torch.testing.assert_close(batch_mean(values, None), values.mean(0))
    torch.testing.assert_close(batch_mean(values, torch.ones(6, dtype=torch.float64)), values.mean(0))
    repeated = values.repeat_interleave(times, 0)
    torch.testing.assert_close(batch_mean(values, times.double()), repeated.mean(0))
    torch.testing.assert_close(batch_mean(values, 0.01 * times.double()), repeated.mean(0))


# -- modules that draw -----------------------------------------------------------------------------------------------


def pickled(module: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(module))


def torch_saved(module: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copy_of", [copy.copy, copy.deepcopy, pickled, torch_saved])
def test_generator_is_not_copied(copy_of):
    module = Dropout(0.25).eval()
    module.generator = Generator().manual_seed(3)
    copied = copy_of(module)
    assert copied.generator is None
    assert module.generator is not None
    assert (copied.rate, copied.training) == (0.25, False)


def test_generator_inside_another_module_is_not_copied():
    module = nn.Sequential(nn.Linear(2, 2), Dropout(0.5))
    module[1].generator = Generator()
    copied = copy.deepcopy(module)
    assert copied[1].generator is None
    assert torch.equal(copied[0].weight, module[0].weight)


def test_no_generator_to_begin_with():
    assert Stochastic().generator is None
    assert "generator" not in Dropout(0.5).state_dict()
