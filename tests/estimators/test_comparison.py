import numpy as np
import pytest
import torch
from scipy.stats import ttest_1samp, wilcoxon
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from isthmus import AutoEncoder
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows
from isthmus.estimators.closed_forms import Components
from isthmus.estimators.comparison import Comparison, chance_of, errors_on

DIGITS = load_digits().data


def test_errors_are_those_of_pca_and_of_the_model():
    model = AutoEncoder(8, scale="none", epochs=3, random_state=0).fit(DIGITS)
    pca = PCA(8).fit(DIGITS[:1000])
    parts = (pca.mean_, np.ascontiguousarray(pca.components_.T), pca.explained_variance_, DIGITS[:1000].var(0))
    held_out, index = DIGITS[1000:1100], torch.arange(1000, 1100)
    rows = Rows(DIGITS, dtype=torch.float32)
    closed_form = Components(PrincipalComponents(*map(torch.from_numpy, parts)))
    found = Comparison.of(model.network_, closed_form, rows, index).floor(closed_form.method)
    theirs = ((pca.inverse_transform(pca.transform(held_out)) - held_out) ** 2).mean(1)
    ours = ((model.reconstruct(held_out) - held_out) ** 2).mean(1)
    np.testing.assert_allclose([found.error, found.model_error], [theirs.mean(), ours.mean()], rtol=1e-4)
    np.testing.assert_allclose(found.standard_error, (ours - theirs).std(ddof=1) / 10, rtol=1e-3)
    np.testing.assert_allclose(found.change, found.model_error - found.error)
    np.testing.assert_allclose(errors_on(model.network_, closed_form, rows, index), ours, rtol=1e-3)
    np.testing.assert_allclose(found.variance, ((held_out - pca.mean_) ** 2).mean(), rtol=1e-6)
    assert (found.rows, found.method) == (100, "PCA with 8")
    assert found.interval[0] < found.gain < found.interval[1]


def test_comparisons_of_parts_are_those_of_the_whole():
    parts = torch.rand(4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = Comparison(*parts)
    assert Comparison.joined([Comparison(*parts[:, :10]), Comparison(*parts[:, 10:])]).floor("x") == whole.floor("x")


def test_weight_2_moves_the_means_as_two_rows_do():
    errors = torch.rand(3, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.ones(20, dtype=torch.float64)
    weight[:5] = 2
    twice = Comparison(*(torch.cat([part[:5], part]) for part in errors), torch.ones(25, dtype=torch.float64)).floor(
        "x"
    )
    found = Comparison(*errors, weight).floor("x")
    for name in ("error", "model_error", "change", "variance"):
        assert getattr(found, name) == pytest.approx(getattr(twice, name))


def test_equal_rows_say_what_one_of_their_weight_says():
    errors = torch.rand(3, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = torch.arange(12) % 3 + 1
    repeated = [part.repeat_interleave(times) for part in errors]
    apart = Comparison(*repeated, torch.ones(int(times.sum()), dtype=torch.float64))
    weighted = Comparison(*errors, times.double())
    groups = np.arange(12)
    assert apart.by_group(groups.repeat(times)).floor("x") == weighted.by_group(groups).floor("x")
    assert apart.floor("x").standard_error < weighted.floor("x").standard_error


def test_chance_is_twice_the_lesser_of_two_p_values():
    change = np.random.default_rng(0).normal(-0.3, 1, 40)
    expected = 2 * min(
        ttest_1samp(change, 0, alternative="less").pvalue,
        wilcoxon(change, alternative="less", method="asymptotic").pvalue,
    )
    assert chance_of(change, np.ones(40)) == pytest.approx(expected)


def test_a_wild_row_does_not_hide_a_gain_of_all():
    change = np.random.default_rng(0).normal(-0.3, 0.1, 100)
    change[0] = -1000
    assert chance_of(change, np.ones(100)) < 1e-3
    assert ttest_1samp(change, 0, alternative="less").pvalue > 0.1
    # Of few rows it may be all that new ones show.
    assert chance_of(change, np.ones(100), crossed=True) > 0.1


def test_without_a_change_or_with_one_row_all_is_chance():
    assert chance_of(np.zeros(10), np.ones(10)) == 1
    assert chance_of(np.array([-1.0]), np.ones(1)) == 1
