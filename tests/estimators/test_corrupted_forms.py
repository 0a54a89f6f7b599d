import numpy as np
import torch
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, GaussianNoise, zoo
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows
from isthmus.estimators.comparison import Comparison
from isthmus.estimators.corrupted_forms import CorruptedComponents

DIGITS = load_digits().data


def test_under_noise_the_closed_form_is_the_wiener_filter():
    model = AutoEncoder(8, scale="none", corruption=GaussianNoise(2.0), random_state=0, epochs=1).fit(DIGITS)
    variances, directions = np.linalg.eigh(np.cov(DIGITS[:1000].T, bias=True))
    order = np.argsort(-variances)[:8]
    kept, most = np.ascontiguousarray(directions[:, order]), variances[order]
    mean = DIGITS[:1000].mean(0)
    principal = PrincipalComponents(*map(torch.from_numpy, (mean, kept, most, DIGITS[:1000].var(0))))
    form = CorruptedComponents(principal, 4.0)
    rows, held_out = Rows(DIGITS, dtype=torch.float32), torch.arange(1000, 1797)
    found = Comparison.of(model.network_, form, rows, held_out).floor(form.method)
    # The error of the filter under new noise: what it loses of the rows, and what it lets through of the noise.
    shrunk = kept * (most / (most + 4)) @ kept.T
    lost = (((DIGITS[1000:] - mean) @ (shrunk - np.eye(64))) ** 2).mean()
    let_through = 4 * (shrunk**2).sum() / 64
    assert found.method == "Wiener filter with 8"
    np.testing.assert_allclose(found.error, lost + let_through, rtol=0.02)
    assert model.network_.corruption.generator is None
    assert found == Comparison.of(model.network_, form, rows, held_out).floor(form.method)


def test_denoising_with_a_wide_code_has_a_floor_too():
    model = zoo.denoising(64, hidden=(128,), noise=0.3, scale="global", epochs=3, random_state=0).fit(DIGITS)
    assert model.floor_.method == "Wiener filter with 64"
    assert model.floor_.reached


def test_holes_are_compared_with_a_normal_distribution():
    floor = zoo.masked(32, epochs=1, random_state=0).fit(DIGITS[:500].reshape(-1, 8, 8)).floor_
    assert floor.method.startswith("Gaussian of ")
    assert floor.error < floor.variance
