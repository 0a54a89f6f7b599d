import json
from dataclasses import dataclass

import numpy as np
import pytest

from isthmus import L1, Adam, AutoEncoder, Compute, Dense, Deterministic, Gaussian, Imputer, Masking, Part
from isthmus.core import registry
from isthmus.estimators.plain import UnknownPartError, known_classes, parts_named, plain, plain_parameters, revived


def there_and_back(value):
    return revived(json.loads(json.dumps(plain(value), allow_nan=False)), known_classes())


def assert_equal_parts(one, other):
    """Estimators are equal by their parameters, parts by themselves."""
    assert type(one) is type(other)
    assert repr(one) == repr(other)


@pytest.mark.parametrize("kind", registry.classes().values(), ids=lambda kind: kind.__name__)
def test_every_registered_class_comes_back(kind):
    assert_equal_parts(there_and_back(kind()), kind())


def test_estimators_within_estimators_come_back():
    inner = AutoEncoder(latent=3, hidden=(8, 4), corruption=Masking(0.2, value=None), compute=Compute(threads=1))
    back = there_and_back({"estimator": inner, "columns": {"a": "real"}})
    assert_equal_parts(back["estimator"], inner)
    assert back["columns"] == {"a": "real"}
    assert_equal_parts(Imputer(back["estimator"]), Imputer(inner))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))),
        ([1, [2, 3]], (1, (2, 3))),
        (np.random.default_rng(0), None),
        (np.random.RandomState(0), None),
    ],
)
def test_numpys_values_become_pythons(value, expected):
    back = there_and_back(value)
    assert back == expected
    assert type(back) is type(expected)


def test_what_belongs_to_a_run_is_left_out():
    plainly = plain_parameters(AutoEncoder(verbose=1, callbacks=[print]))
    assert "latent" in plainly
    assert not {"verbose", "callbacks"} & set(plainly)


@dataclass
class Holding(Part):
    function: object = print


@dataclass
class Own(Part):
    inner: object = 1.0


def test_the_part_that_cannot_be_saved_is_named():
    with pytest.raises(TypeError, match="the part Holding carries state that cannot be saved: a parameter with the"):
        plain(Holding())
    with pytest.raises(TypeError, match="the part Own carries state that cannot be saved: the part Holding carries"):
        plain(Own(Holding()))


def test_parts_are_known_by_being_given():
    with pytest.raises(UnknownPartError, match="unknown part 'Own'"):
        revived(plain(Own()), known_classes())
    assert revived(plain(Own(2.0)), known_classes([Own])) == Own(2.0)
    assert "Own" not in known_classes()


def test_classes_that_are_given():
    assert known_classes([L1]) == known_classes()
    with pytest.raises(ValueError, match="there are two parts called Own"):
        known_classes([Own, type("Own", (Part,), {})])
    with pytest.raises(ValueError, match="there are two parts called L1"):
        known_classes([type("L1", (Part,), {})])
    for other in (Own(), "Own", None):
        with pytest.raises(ValueError, match=r"parts= takes classes, such as parts=\[Logistic\]; got"):
            known_classes([other])


def test_parts_within_parts_are_named():
    value = plain({"a": [Own(Deterministic()), L1()], "b": Gaussian()})
    assert sorted(parts_named(value)) == ["Deterministic", "Gaussian", "L1", "Own"]
    assert list(parts_named({"part": 3})) == []


def test_a_part_of_the_same_name_is_not_the_same_part():
    impostor = dataclass(type("L1", (Part,), {"__annotations__": {"weight": float}, "weight": 1.0}))
    with pytest.raises(TypeError, match="isthmus has a part called L1; give your class another name"):
        plain(impostor())


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf"), {"a": 1j}, 1j, b"bytes", print])
def test_values_that_json_has_not(value):
    with pytest.raises(TypeError, match=r"a parameter with the value .* cannot be saved in a model file"):
        plain(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -2.5,
        "text",
        (),
        (1, (2, "x")),
        L1(0.5),
        (L1(1), Adam()),
        Dense((3, 2), "relu"),
        {"a": "count", 0: (1, 2)},
    ],
)
def test_plain_and_back(value):
    assert revived(json.loads(json.dumps(plain(value))), known_classes()) == value
