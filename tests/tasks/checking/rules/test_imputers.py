import numpy as np

from isthmus import Imputer, check


def test_columns_that_nothing_else_tells_are_named():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(300, 1)) * np.ones(3) + 0.1 * rng.normal(size=(300, 3)), rng.normal(size=300)]
    X[rng.random(X.shape) < 0.1] = np.nan
    imputer = Imputer(members=1, methods=("gaussian",), random_state=0).fit(X)
    found = check(model=imputer).by_rule("no-better-than-mean")
    assert [one.columns for one in found] == [("3",)]
