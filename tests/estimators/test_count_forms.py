import numpy as np
import pytest
import torch
from sklearn.decomposition import NMF, PCA

from isthmus import AutoEncoder
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.estimators.count_forms import RootComponents, of_counts, poisson_errors

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(np.exp(RNG.normal(size=(800, 3)) @ RNG.normal(size=(3, 30)) * 0.5))


def test_poisson_errors_are_half_deviances():
    x, mean = torch.tensor([[0.0, 2.0, 5.0]]), torch.ones(3)
    expected = torch.tensor([[1.0, 2.0, 4.0]])
    by_hand = (1 + 0 + (4 - 5 + 5 * np.log(5 / 4))) / 3
    assert float(poisson_errors(x, expected, mean, False)) == pytest.approx(by_hand)
    scaled = poisson_errors(x, 10 * expected, mean, True)
    assert float(scaled) == pytest.approx(float(poisson_errors(x, expected, mean, False)))


def test_a_count_that_was_not_expected_has_a_finite_error():
    assert torch.isfinite(poisson_errors(torch.tensor([[3.0]]), torch.zeros(1, 1), torch.zeros(1), False)).all()


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial", "multinomial"])
def test_counts_have_a_floor(likelihood):
    model = AutoEncoder(3, likelihood=likelihood, random_state=0, epochs=30).fit(COUNTS)
    floor = model.floor_
    assert floor.method in ("NMF with 3", "PCA of square roots with 3")
    assert 0 < floor.error < floor.variance
    assert floor.gain > 0


def test_the_factorisation_is_that_of_scikit_learn():
    rates = np.random.default_rng(0).gamma(0.2, 1, (800, 3)) @ np.random.default_rng(1).gamma(0.2, 20, (3, 30))
    counts = np.random.default_rng(2).poisson(rates)
    floor = (
        AutoEncoder(3, likelihood="poisson", random_state=0, epochs=2, floor="tell", validation="last")
        .fit(counts)
        .floor_
    )
    assert floor.method == "NMF with 3"
    model = NMF(3, solver="mu", beta_loss="kullback-leibler", init="nndsvda", max_iter=100, random_state=0)
    model.fit(counts[:720])
    expected = model.transform(counts[720:].astype(float)) @ model.components_
    errors = poisson_errors(torch.from_numpy(counts[720:]), torch.from_numpy(expected), torch.zeros(30), False)
    assert floor.error == pytest.approx(float(errors.mean()), rel=0.1)


def test_root_components_are_pca_of_square_roots():
    some = torch.arange(700)
    rows = Rows(COUNTS.astype(np.float64), dtype=torch.float64)
    form = of_counts(AutoEncoder(3, likelihood="poisson", epochs=1).fit(COUNTS).network_, rows, some, some[:0])
    roots = np.sqrt(COUNTS)
    pca = PCA(3).fit(roots[:700])
    expected = pca.inverse_transform(pca.transform(roots[700:])).clip(0) ** 2
    own = RootComponents(form.mean, False, components_of(rows, some, 30, 3, torch.Generator(), torch.sqrt))
    x = torch.from_numpy(COUNTS[700:])
    torch.testing.assert_close(own.errors(x), poisson_errors(x, torch.from_numpy(expected), form.mean, False))
