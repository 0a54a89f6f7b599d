from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from isthmus import Finding, check


@pytest.fixture
def told() -> Callable[..., list[Finding]]:
    """Return what a rule finds, by its name."""

    def found(rule: str, *arguments: object, **options: object) -> list[Finding]:
        return list(check(*arguments, **options).by_rule(rule))

    return found


@pytest.fixture(scope="session")
def clean() -> pd.DataFrame:
    """Return a table in which nothing is wrong: numbers that depend on each other, categories, counts, flags."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=400)
    return pd.DataFrame(
        {
            "height": (170 + 10 * common + rng.normal(size=400)).round(2),
            "weight": (70 + 8 * common + 4 * rng.normal(size=400)).round(2),
            "income": rng.lognormal(3, 0.8, size=400).round(3),
            "visits": rng.poisson(3, size=400),
            "smoker": rng.random(400) < 0.3,
            "town": rng.choice(["Oslo", "Bergen", "Trondheim"], size=400),
        }
    )
