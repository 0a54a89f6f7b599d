import math

import pytest

from isthmus.core.scalars import scalar_of, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16", 16), ("-3", -3), ("+3", 3), ("0x10", 16), ("0o17", 15), ("017", 17), ("1e-3", 0.001), ("1E3", 1000.0),
        (".5", 0.5), ("5.", 5.0), ("-.5e-1", -0.05), (".inf", math.inf), ("-.inf", -math.inf), ("true", True),
        ("False", False), ("null", None), ("~", None), ("", None), ("None", None), ("none", "none"), ("no", "no"),
        ("on", "on"), ("2026-01-02", "2026-01-02"), ("1_000", "1_000"), ("12:30", "12:30"), (".", "."), ("e3", "e3"),
        ("-", "-"), ("tRUE", "tRUE"),
    ],
)  # fmt: skip
def test_scalars(text, value):
    assert scalar_of(text) == value
    assert type(scalar_of(text)) is type(value)


def test_not_a_number():
    assert math.isnan(scalar_of(".nan"))


@pytest.mark.parametrize("number", [0.1, 1e-300, 1e22, -5e-324, 123456789.125, 3, -7])
def test_what_python_writes_is_read_to_the_last_bit(number):
    assert scalar_of(repr(number)) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[128, 64]", [128, 64]), ("[]", []), ("[ ]", []), ("[a, 1e-3, null]", ["a", 0.001, None]), ('"16"', "16"),
        ('["a", 1]', ["a", 1]), ('{"kl": {"beta": 4}}', {"kl": {"beta": 4}}), (" 16 ", 16), ("l1", "l1"),
    ],
)  # fmt: skip
def test_values_of_a_command_line(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize("text", ["[1", "{a: 1}", '"a', "[[1], a]"])
def test_what_begins_like_json_and_is_none(text):
    with pytest.raises(ValueError, match="is no JSON"):
        value_of(text)
