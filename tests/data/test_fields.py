import numpy as np
import pytest

from isthmus.data.fields import Field, merged, refuse_other_zone


def field(sort, unit="", levels=()):
    return Field("x", sort, "", unit, levels=levels)


def test_pieces_of_other_types():
    assert merged(field("integer"), field("float")).sort == "float"
    assert merged(field("nothing"), field("text")).sort == "text"
    assert merged(field("category"), field("text")).sort == "category"
    with pytest.raises(ValueError, match="column 'x' holds float values in one place and text values in another"):
        merged(field("float"), field("text"))
    with pytest.raises(ValueError, match="column 'x' has times in s and in ms; take one unit"):
        merged(field("time", "s"), field("time", "ms"))


def test_declared_categories_of_pieces_are_put_together():
    found = merged(field("category", levels=("a", "b")), field("category", levels=("c", "b")))
    assert found.levels == ("a", "b", "c")


def test_times_are_days_as_floats():
    assert field("time", "ms").to_floats(np.array([86_400_000, -43_200_000])).tolist() == [1, -0.5]
    assert field("integer").to_floats(np.array([3])).tolist() == [3]


def test_zones_are_not_mixed_with_none():
    plain, berlin = Field("t", "time", "x", unit="s"), Field("t", "time", "x", unit="s", zone="Europe/Berlin")
    for here, there, call in ((berlin, plain, "tz_localize('Europe/Berlin')"), (plain, berlin, "tz_localize(None)")):
        with pytest.raises(ValueError, match="column 't' holds times") as error:
            merged(here, there)
        assert f"X['t'].dt.{call}" in str(error.value)
        with pytest.raises(ValueError, match="replace_time_zone"):
            refuse_other_zone(here, there, "in fit", "now", "polars")
    assert merged(berlin, berlin._replace(zone="UTC")) == berlin
    assert merged(plain, Field("t", "nothing", "x")) == plain
