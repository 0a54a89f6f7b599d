import numpy as np
import pytest

from isthmus import AutoEncoder, check


@pytest.fixture(scope="module")
def model(clean):
    return AutoEncoder(3, epochs=3, random_state=0).fit(clean[:300])


@pytest.fixture(scope="module")
def later(clean):
    return clean[300:].reset_index(drop=True)


def test_rows_like_those_of_the_training_get_nothing(model, clean, later):
    for rows in (clean[:300], later, later[:1]):
        assert list(check(rows, model, ignore=["floor-returned"])) == []


CHANGES = {
    "missing-columns": lambda rows: rows.drop(columns="height"),
    "new-columns": lambda rows: rows.assign(height2=1.0),
    "refused-rows": lambda rows: rows.assign(height="tall"),
    "new-categories": lambda rows: rows.assign(town=rows["town"].replace("Oslo", "Paris")),
    "outside-range": lambda rows: rows.assign(height=2.54 * rows["height"]),
    "more-gaps": lambda rows: rows.assign(height=rows["height"].mask(np.arange(len(rows)) % 2 == 0)),
    "reading-in-use": lambda rows: rows.assign(visits=rows["visits"] - 9),
    "moved-columns": lambda rows: rows.assign(weight=rows["weight"] + 8),
}


@pytest.mark.parametrize("rule", CHANGES)
def test_changes_are_told(rule, model, later, told):
    assert len(told(rule, CHANGES[rule](later), model)) == 1


def test_other_columns_are_still_looked_at(model, later):
    changed = CHANGES["missing-columns"](CHANGES["new-categories"](later))
    assert {"missing-columns", "new-categories"} <= {one.rule for one in check(changed, model)}


def test_categories_that_move_are_told(model, later, told):
    (found,) = told("moved-columns", later.assign(town="Bergen"), model)
    assert "'Bergen' has 100 % now" in found.number


def test_rules_of_a_fit_are_left_out_in_use(model, later):
    assert not check(later[:10].assign(town="Oslo", smoker=True), model).by_rule("constant-column")
    assert not check(later[:10], model).by_rule("few-rows")
