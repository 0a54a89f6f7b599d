import numpy as np
import pytest
import torch

from isthmus.engine.term_sums import TermSums, sum_of


@pytest.mark.parametrize("weighted", [False, True])
def test_term_sums_are_means_over_the_rows(weighted):
    rng = np.random.default_rng(0)
    nll, penalty, weight = rng.normal(size=17), rng.normal(size=17), rng.uniform(0.1, 2, 17)
    sums = TermSums()
    for rows in (slice(0, 5), slice(5, 6), slice(6, 17)):
        terms = {"nll": torch.from_numpy(nll[rows]), "l1": torch.from_numpy(penalty[rows])}
        sums.add(terms, torch.from_numpy(weight[rows]) if weighted else None)
    means = sums.means()
    weights = weight if weighted else None
    assert list(means) == ["loss", "nll", "l1"]
    assert means["nll"] == pytest.approx(np.average(nll, weights=weights))
    assert means["l1"] == pytest.approx(np.average(penalty, weights=weights))
    assert means["loss"] == pytest.approx(means["nll"] + means["l1"])


def test_a_single_term_is_the_loss():
    sums = TermSums()
    sums.add({"nll": torch.tensor([1.0, 3.0])}, None)
    assert sums.means() == {"loss": 2.0}


def test_term_sums_keep_no_graph():
    sums = TermSums()
    sums.add({"nll": torch.ones(2, requires_grad=True) * 2}, None)
    assert not sums.sums["nll"].requires_grad


def test_narrow_terms_with_wide_weights():
    sums = TermSums()
    sums.add({"nll": torch.tensor([1.0, 3.0], dtype=torch.bfloat16)}, torch.tensor([1.0, 3.0]))
    assert sums.means() == {"loss": 2.5}


def test_sum_of_terms():
    one, two = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])
    assert sum_of([one]).tolist() == [1, 2]
    assert sum_of(iter([one, two, one])).tolist() == [12, 24]
    assert one.tolist() == [1, 2]
