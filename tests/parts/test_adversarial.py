import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import Adversarial, AutoEncoder, load
from isthmus.core.divergences import squared_mmd
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose
from isthmus.parts.priors import MixturePrior

F, K, B = 6, 2, 32
DIGITS = (load_digits().data / 16).astype(np.float32)


def network_of(part):
    network = compose(F, K, penalty=part).double()
    initialise(network, "torch", Generator().manual_seed(0))
    network.seed(Generator().manual_seed(1))
    return network.train()


def x():
    return torch.randn(B, F, dtype=torch.float64, generator=Generator().manual_seed(2))


def reached(network, term):
    network.zero_grad()
    network.terms(x())[term].sum().backward()
    return {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}


def test_each_loss_reaches_its_own_weights_only():
    network = network_of(Adversarial())
    assert reached(network, "discriminator") == {"penalties"}
    assert reached(network, "adversarial") == {"encoder"}


def test_judged_rows_are_given_the_distance_from_the_prior():
    network = network_of(Adversarial(3.0)).eval()
    terms = network.terms(x())
    assert "discriminator" not in terms
    z = network.encode(x()).z
    network.seed(Generator().manual_seed(1))
    found = network.terms(x())["adversarial"]
    drawn = torch.randn(B, K, dtype=torch.float64, generator=Generator().manual_seed(1))
    torch.testing.assert_close(found, (3 * squared_mmd("imq", z, drawn)).expand(B))


def test_clusters_of_the_mixture_lie_around_a_circle():
    z = MixturePrior(radius=2.0, spread=0.3).build(3).sample(20_000, 3, Generator().manual_seed(0), torch.empty(0))
    assert abs(float(z[:, :2].norm(dim=1).mean()) - 2) < 0.1
    assert abs(float(z[:, 2].std()) - 1) < 0.03
    sector = torch.round(torch.atan2(z[:, 1], z[:, 0]) / (2 * np.pi / 10)).long() % 10
    assert (torch.bincount(sector) > 1500).all()


def test_the_mixtures_coordinates_have_about_variance_one():
    z = MixturePrior().build(2).sample(50_000, 2, Generator().manual_seed(0), torch.empty(0))
    assert bool((z.mean(0).abs() < 0.03).all())
    assert bool(((z.var(0) - 1).abs() < 0.05).all())


def test_a_mixture_is_saved_with_the_model(tmp_path):
    part = Adversarial(prior=MixturePrior(components=4))
    model = AutoEncoder(2, penalty=part, epochs=1, random_state=0).fit(DIGITS[:200])
    model.save(tmp_path / "model.isthmus")
    loaded = load(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(loaded.sample(5, random_state=0), model.sample(5, random_state=0))


def test_a_users_sampler_is_drawn_from():
    def sampler(count, latent, generator):
        return np.full((count, latent), 7.0)

    model = AutoEncoder(2, penalty=Adversarial(prior=sampler), epochs=1, random_state=0).fit(DIGITS[:200])
    np.testing.assert_allclose(model.sample(3, noise=False), model.inverse_transform(np.full((3, 2), 7.0)), rtol=1e-6)


def test_a_sampler_of_another_shape():
    part = Adversarial(prior=lambda count, latent, generator: torch.zeros(count))
    with pytest.raises(ValueError, match=r"must return a tensor or array of the shape \(32, 2\)"):
        network_of(part).terms(x())


def test_codes_come_nearer_to_the_prior():
    prior = torch.randn(1797, 2, generator=Generator().manual_seed(3)).double()
    distances = []
    for penalty in (None, Adversarial()):
        codes = AutoEncoder(2, penalty=penalty, epochs=40, random_state=0).fit(DIGITS).transform(DIGITS)
        distances.append(float(squared_mmd("imq", torch.from_numpy(codes).double(), prior)))
    assert distances[1] < 0.2 * distances[0]


@pytest.mark.parametrize("part", [Adversarial(-1), Adversarial(prior="x"), Adversarial(r1=-1)])
def test_parameters_that_cannot_be(part):
    with pytest.raises(ValueError, match="of Adversarial"):
        part.build(F, K)
