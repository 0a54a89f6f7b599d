import uuid

import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(0)
UUIDS = [str(uuid.UUID(bytes=RNG.bytes(16))) for _ in range(400)]


@pytest.mark.parametrize(
    "values",
    [
        [f"name {j}" for j in range(400)],
        [f"name {max(j, 12)}" for j in range(400)],
        np.arange(5000, 5400),
        UUIDS,
        UUIDS[:200] * 2,
        RNG.permutation(900_000)[:400] + 100_000,
    ],
    ids=["names", "nearly all different", "numbering", "UUIDs", "UUIDs twice", "six digits each"],
)
def test_identifiers_are_told(values, told, clean):
    (found,) = told("identifier", clean.assign(this=values))
    assert found.columns == ("this",)


def test_what_is_learned_of_an_identifier_is_a_warning_and_what_is_ignored_a_note(told, clean):
    keys = RNG.permutation(100_000)[:400]
    assert told("identifier", clean.assign(customer_id=keys))[0].severity == "warning"
    assert told("identifier", clean.assign(customer_id=np.arange(400)))[0].severity == "note"


@pytest.mark.parametrize("values", [RNG.integers(0, 10**6, 400) // 1000, RNG.normal(size=400), ["a", "b"] * 200])
def test_measures_and_categories_are_no_identifiers(values, told, clean):
    assert not told("identifier", clean.assign(this=values))


def test_repeated_subjects_are_groups_unless_groups_are_given(told, clean):
    patients = np.arange(400) // 4
    (found,) = told("groups", clean.assign(patient=patients))
    assert found.value == 4
    assert "fit(X, groups=X['patient'])" in found.mend
    assert not told("groups", clean.assign(patient=patients), groups=patients)
    assert not told("groups", clean.assign(visit=patients))
    assert not told("groups", clean.assign(patient=np.arange(400)))


def test_a_table_of_pairs_is_told_to_be_a_matrix(told, clean):
    pairs = pd.DataFrame({"user_id": RNG.integers(0, 40, 400), "item_id": RNG.integers(0, 60, 400), "rating": 3.0})
    (found,) = told("table-of-pairs", pairs)
    assert found.columns == ("user_id", "item_id")
    assert not told("table-of-pairs", clean)


def test_sentences_are_told_and_names_are_not(told, clean):
    words = ["the", "meter", "was", "read", "late", "again", "because", "nobody", "opened", "door"]
    texts = [" ".join(RNG.choice(words, 16)) for _ in range(400)]
    assert told("free-text", clean.assign(note=texts))[0].columns == ("note",)
    assert not told("free-text", clean)
