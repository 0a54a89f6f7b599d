"""A user's own part in every slot: it trains, and what it lacks or returns wrongly is named."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional

from isthmus import (
    AutoEncoder,
    Backbone,
    Bernoulli,
    Code,
    CodeModule,
    Corrupted,
    CorruptionModule,
    Gaussian,
    LikelihoodModule,
    Mixed,
    ObjectiveModule,
    Part,
    PenaltyModule,
)
from isthmus.parts.composition import compose
from isthmus.parts.likelihoods import BernoulliLikelihood

F, K = 5, 2
X = np.random.default_rng(0).normal(size=(120, F)) @ np.random.default_rng(1).normal(size=(F, F))


class LogisticModule(LikelihoodModule):
    activation = "identity"
    density = True

    def __init__(self, features):
        super().__init__()
        self.outputs = features

    def mean(self, theta):
        return theta

    def columns(self, x, theta, weight=None):
        return x - theta + 2 * functional.softplus(theta - x)


@dataclass
class Logistic(Part):
    scale: float = 1.0

    def build(self, features):
        return LogisticModule(features)


class Squared(CodeModule):
    def forward(self, h, weight=None):
        z = h * h.abs()
        return Code(z, z)


class SquaredCode:
    """Not a `Part`: any object with the builder does."""

    def build(self, latent):
        return Squared(latent)


class Scaled(CorruptionModule):
    def forward(self, x):
        return Corrupted(x * (1 + 0.1 * torch.empty_like(x).normal_(generator=self.generator)))


@dataclass
class Scaling(Part):
    def build(self, features):
        return Scaled()


class Size(PenaltyModule):
    def forward(self, step, network):
        return 0.1 * step.code.mean.square().sum(1)


@dataclass
class CodeSize(Part):
    def build(self, features, latent):
        return Size()


class Absolute(ObjectiveModule):
    def forward(self, step, network):
        return {"absolute": (step.x - network.likelihood.mean(step.theta)).abs().sum(1)}


@dataclass
class AbsoluteError(Part):
    def build(self, features, latent):
        return Absolute()


class OneLayer(Backbone):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(outputs, inputs))

    def initialise(self, method, generator):
        nn.init.orthogonal_(self.matrix, generator=generator)

    def forward(self, x):
        return x @ self.matrix.T


@dataclass
class Matrix(Part):
    def build_encoder(self, features, outputs):
        return OneLayer(features, outputs)

    def build_decoder(self, latent, outputs, encoder):
        return OneLayer(latent, outputs)


OWN = {
    "likelihood": Logistic(),
    "code": SquaredCode(),
    "corruption": Scaling(),
    "penalty": CodeSize(),
    "objective": AbsoluteError(),
    "encoder": Matrix(),
    "decoder": Matrix(),
}


@pytest.mark.parametrize("slot", OWN)
def test_own_part_trains_and_scores(slot):
    model = AutoEncoder(K, epochs=100, random_state=0, **{slot: OWN[slot]}).fit(X)
    assert model.transform(X).shape == (120, K)
    assert np.isfinite(model.score_samples(X)).all()
    assert model.reconstruction_error(X).mean() < X.var(0).mean()
    again = clone(model).fit(X) if slot != "code" else model
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_names_in_the_history():
    model = AutoEncoder(K, epochs=1, random_state=0, penalty=[CodeSize(), "l1", CodeSize()]).fit(X)
    assert {"code_size", "l1", "code_size_2"} <= set(model.history_.columns)


def test_own_likelihood_starts_at_pca():
    assert AutoEncoder(K, epochs=1, likelihood=Logistic(), random_state=0).fit(X).history_.init == "pca (exact)"


class WithoutStart(LogisticModule):
    activation = None


def test_likelihood_that_cannot_say_where_its_mean_is_trains_all_the_same():
    part = builds(WithoutStart)
    model = AutoEncoder(K, epochs=2, likelihood=part, random_state=0).fit(X)
    assert model.history_.init.startswith("orthogonal (pca is not possible: the likelihood ")


def test_own_likelihood_of_some_columns():
    part = Mixed((Logistic(), Bernoulli()), (2, 1))
    module = part.build(3)
    x = torch.tensor([[0.3, -1.0, 1.0]])
    module.look(torch.tensor([[0.3, -1.0, 1.0], [1.0, 0.5, 0.0], [2.0, 0.0, 1.0]]))
    assert module.loss(x, torch.zeros(1, 3)).shape == (1,)
    assert module.deviance_ratios(x, torch.tensor([[0.3, -1.0, 40.0]])).item() == pytest.approx(0, abs=1e-6)


def test_a_trial_draws_from_no_generator_that_matters():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    compose(F, K, **OWN)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_trial_leaves_buffers_alone():
    class Counting(Squared):
        def __init__(self, latent):
            super().__init__(latent)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, h, weight=None):
            self.calls += 1
            return super().forward(h)

    assert float(compose(F, K, code=builds(Counting)).code.calls) == 0


# -- what is wrong is named --------------------------------------------------------------------------------------------


def builds(module):
    """Return a part whose `build` returns the module of that class, with whatever sizes it takes."""

    class Given:
        def build(self, *sizes):
            return module(*sizes[-1:]) if issubclass(module, CodeModule | LikelihoodModule) else module()

    return Given()


def changed(base, **members):
    return builds(type("Changed", (base,), members))


class NoOutputs(LogisticModule):
    def __init__(self, features):
        LikelihoodModule.__init__(self)


class BareLikelihood(nn.Module):
    def __init__(self):
        super().__init__()
        self.outputs = F


@pytest.mark.parametrize(
    ("slot", "part", "message"),
    [
        ("likelihood", builds(NoOutputs), "the likelihood Given lacks `outputs`: define it in NoOutputs"),
        (
            "likelihood",
            changed(LogisticModule, mean=LikelihoodModule.mean),
            r"the likelihood Given lacks `mean\(theta\)`: the reconstruction of a row; define it",
        ),
        ("likelihood", changed(LogisticModule, columns=LikelihoodModule.columns), r"lacks `columns\(x, theta"),
        ("likelihood", builds(BareLikelihood), "lacks `activation`, .* from isthmus.LikelihoodModule"),
        (
            "likelihood",
            changed(LogisticModule, mean=lambda self, theta: theta[:, :3]),
            r"mean\(theta\) with theta of the shape \(2, 5\) must return the shape \(2, 5\); it returned \(2, 3\)",
        ),
        (
            "likelihood",
            changed(LogisticModule, columns=lambda self, x, theta, weight=None: x.sum(1)),
            r"columns\(x, theta\) .* must return the shape \(2, 5\); it returned \(2,\)",
        ),
        ("likelihood", changed(LogisticModule, sample=lambda self, theta, g: theta.sum(1)), r"sample.* \(2,\)"),
        ("likelihood", changed(LogisticModule, mean=lambda self: 0), r"fails in mean\(theta\) .*: TypeError"),
        ("likelihood", changed(LogisticModule, groups=lambda self, features: (2,)), "groups.* sum to 5; it returned"),
        ("code", changed(Squared, forward=lambda self, h, weight=None: h), "must return an isthmus.Code; it ret"),
        (
            "code",
            changed(Squared, forward=lambda self, h, weight=None: Code(h[:, :1], h)),
            r"its z, must return the shape \(2, 2\); it returned \(2, 1\)",
        ),
        ("corruption", changed(Scaled, forward=lambda self, x: x), "must return an isthmus.Corrupted; it returned Te"),
        ("corruption", changed(Scaled, forward=lambda self, x: Corrupted(x[:1])), r"its x, must .* \(1, 5\)"),
        ("penalty", changed(Size, forward=lambda self, step, network: step.x.sum()), r"shape \(2,\); it returned \(\)"),
        ("penalty", changed(Size, forward=lambda self, s, n: {"a": s.x}), r"its term 'a', must .* \(2, 5\)"),
        ("code", builds(CodeModule), r"the code Given lacks `forward\(h, weight=None\)`: define it in CodeModule"),
        ("corruption", builds(CorruptionModule), r"the corruption Given lacks `forward\(x\)`"),
        ("penalty", builds(PenaltyModule), r"the penalty Given lacks `forward\(step, network\)`"),
        ("objective", builds(ObjectiveModule), r"the objective Given lacks `forward\(step, network\)`"),
        ("objective", changed(Absolute, forward=lambda self, step, network: step.x.sum(1)), "a mapping from names"),
    ],
)
def test_what_is_wrong_with_a_part(slot, part, message):
    with pytest.raises(ValueError, match=message):
        compose(F, K, **{slot: part})


def test_a_loss_whose_inherited_derivative_is_not_its_own():
    class Doubled(BernoulliLikelihood):
        def deviance_loss(self, x, theta):
            return 2 * super().deviance_loss(x, theta)

    class Part:
        def build(self, features):
            return Doubled(features)

    message = "the likelihood Part: deviance_loss_and_gradient must give what deviance_loss gives.*Define it in Doubled"
    with pytest.raises(ValueError, match=message):
        compose(3, 1, likelihood=Part())
    Doubled.deviance_loss_and_gradient = LikelihoodModule.deviance_loss_and_gradient
    compose(3, 1, likelihood=Part())


def test_encoder_of_another_shape():
    class Narrow:
        def build_encoder(self, features, outputs):
            return OneLayer(features, outputs + 1)

    with pytest.raises(
        ValueError, match=r"the encoder Narrow: .* must return the shape \(2, 2\); it returned \(2, 3\)"
    ):
        compose(F, K, encoder=Narrow(), decoder="linear")


def test_object_without_the_builder():
    class Nothing:
        pass

    with pytest.raises(ValueError, match=r"likelihood must have build\(features\), like .*; Nothing has none"):
        compose(F, K, likelihood=Nothing())


def test_module_that_is_no_module():
    class Numbers:
        def build(self, features):
            return 3

    with pytest.raises(ValueError, match=r"the likelihood Numbers must build a torch.nn.Module; it built int"):
        compose(F, K, likelihood=Numbers())


def test_parts_of_isthmus_are_not_tried():
    class Refusing(Gaussian):
        pass

    assert compose(F, K, likelihood=Refusing(0.5)).likelihood.made_by == "Refusing"
