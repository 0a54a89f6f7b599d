"""Variances by held-out errors: limits, invariances, and less error than the held-out errors alone."""

import math

import pytest
import torch
from torch import Generator

from isthmus.core.held_out_variances import (
    common_share,
    held_out_variances,
    rows_of_prior,
    variances_without_held_out,
)

MANY = 1e9


def drawn(rows, spread=0.5, columns=200):
    """Variances, and their estimates from some held-out rows and from many training rows with half the error."""
    generator = Generator().manual_seed(0)
    variances = torch.exp(spread * torch.randn(columns, generator=generator, dtype=torch.float64))
    normal = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    return variances, normal.square().mean(0) * variances


def test_many_rows_speak_for_themselves():
    _, held_out = drawn(20_000)
    found = held_out_variances(held_out, 20_000, torch.ones_like(held_out), MANY, torch.ones_like(held_out))
    torch.testing.assert_close(found, held_out, rtol=0.01, atol=0)


def test_few_rows_are_drawn_to_what_training_says():
    variances, held_out = drawn(10)
    found = held_out_variances(held_out, 10, variances / 2, MANY, variances)
    assert (found / variances).log().abs().mean() < 0.2 * (held_out / variances).log().abs().mean()


def test_the_unit_does_not_matter():
    variances, held_out = drawn(10)
    once, twice = (held_out_variances(held_out * c, 10, variances * c, 90, c * variances) for c in (1.0, 1e-4))
    torch.testing.assert_close(twice, once * 1e-4)


@pytest.mark.parametrize("rows", [5, 100, 2000])
def test_no_column_is_undercut(rows):
    """A column without any error may still be as far off as without a code in the next row."""
    held_out, own = torch.tensor([[0.0, 1.0, 1.0], [4.0, 2.0, 2.0]], dtype=torch.float64)
    found = held_out_variances(held_out, rows, held_out, 3 * rows, own)
    assert float(found[0]) == pytest.approx(4 / (4 * rows + 1))


def test_no_error_at_all_and_one_value():
    nothing = torch.zeros(3, dtype=torch.float64)
    own = torch.tensor([0.0, 2.0, 4.0], dtype=torch.float64)
    torch.testing.assert_close(
        held_out_variances(nothing, 10, nothing, 9, own), torch.tensor([3.0, 2.0, 4.0]).double() / 20
    )
    assert torch.equal(held_out_variances(nothing, 10, nothing, 9, nothing), nothing)


def test_a_common_variance_is_taken_where_held_out_rows_ask_for_it():
    """Columns that are all but constant in training, a few of which are not in the next rows."""
    variances, overall = torch.full((100,), 1e-6, dtype=torch.float64), torch.tensor(0.01, dtype=torch.float64)
    held_out = torch.full((100,), 1e-6, dtype=torch.float64)
    assert common_share(variances, held_out, overall) == 0
    held_out[:3] = 0.01
    assert common_share(variances, held_out, overall) > 0


def test_equal_variances_have_a_prior_without_doubt():
    _, held_out = drawn(10, spread=0.0)
    assert rows_of_prior(held_out.log(), 10) > 50


def test_the_rows_of_a_known_prior_are_found():
    generator = Generator().manual_seed(1)
    chi = torch.randn(8, 4000, generator=generator, dtype=torch.float64).square().mean(0)
    own = torch.randn(20, 4000, generator=generator, dtype=torch.float64).square().mean(0)
    assert rows_of_prior((own / chi).log(), 20) == pytest.approx(8, rel=0.15)


def test_generalised_cross_validation_is_the_error_of_new_rows():
    """Least squares on K columns and a mean: the corrected training error is that of new rows."""
    generator = Generator().manual_seed(0)
    n, k, new = 40, 10, []
    corrected = []
    for _ in range(200):
        design = torch.randn(2 * n, k, generator=generator, dtype=torch.float64)
        y = torch.randn(2 * n, 1, generator=generator, dtype=torch.float64)
        with_mean = torch.cat([design, torch.ones(2 * n, 1, dtype=torch.float64)], 1)
        beta = torch.linalg.lstsq(with_mean[:n], y[:n]).solution
        errors = (y - with_mean @ beta).square()
        new.append(float(errors[n:].mean()))
        corrected.append(float(variances_without_held_out(errors[:n].mean(0), n, k, errors[:n].mean(0))))
    assert sum(corrected) / 200 == pytest.approx(sum(new) / 200, rel=0.1)


def test_without_degrees_of_freedom_a_column_has_its_own_variance():
    own = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert torch.equal(variances_without_held_out(torch.zeros(2), 10, 9, own), own)
    assert math.isclose(float(variances_without_held_out(torch.zeros(2), 10, 8, own)[0]), 0.5)
