import pytest

from isthmus.data.files.roles import Roles, roles_of

NAMES = ["id", "age:float", "town", "label"]


def test_columns_without_a_role_are_trained_on():
    split = roles_of(None, "town", ["id"], "label").split(NAMES, "a.csv")
    assert (split.data, split.ids, split.target) == (("age:float",), ("id",), "label")
    assert split.needed == ("age:float", "id", "label")


def test_a_name_before_a_colon_will_do():
    assert Roles(columns=("age", "town")).split(NAMES, "a.csv").data == ("age:float", "town")


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (Roles(ids=("ids",)), "a.csv has no column 'ids'; it has 'id', .*; did you mean 'id'"),
        (Roles(columns=("id",), ids=("id",)), "column 'id' is to be trained on and left out"),
        (Roles(exclude=tuple(NAMES)), "no column of a.csv is left to train on"),
    ],
)
def test_impossible_roles_are_refused(roles, message):
    with pytest.raises(ValueError, match=message):
        roles.split(NAMES, "a.csv")
