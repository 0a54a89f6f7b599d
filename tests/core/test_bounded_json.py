import json

import pytest

from isthmus.core.bounded_json import DEEPEST, parsed


@pytest.mark.parametrize("value", [None, True, 3, -2.5, "é\n", [], {"a": [1, {"b": None}]}, [[[]]] * 60])
def test_what_json_writes_comes_back(value):
    assert parsed(json.dumps(value), 1000) == value


def test_depth():
    assert parsed("[" * DEEPEST + "]" * DEEPEST, 1000)
    for text in ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), '{"a":' * 10**5, "[" * 10**6):
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            parsed(text, 10**7)


def test_brackets_in_texts_do_not_count():
    assert parsed(json.dumps(["[" * 500, '\\"[' * 200]), 1000) == ["[" * 500, '\\"[' * 200]


def test_number_of_values():
    assert len(parsed(json.dumps([0] * 50), 60)) == 50
    with pytest.raises(ValueError, match="more than 20 values"):
        parsed(json.dumps([0] * 50), 20)
    assert parsed(json.dumps(["," * 500]), 20) == ["," * 500]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 41, "a number has 41 digits"),
        ("[0." + "1" * 5000 + "]", "digits"),
        ("1e999", "too large"),
        ("NaN", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ('{"a":1,"a":1}', "the key 'a' is there twice"),
        ('["\\ud800"]', "half a character"),
        ('["' + "\\" * 99_999, "no JSON"),
        ("", "no JSON"),
        ("[1,]", "no JSON"),
        ("[1] 2", "no JSON"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parsed(text, 1000)


def test_pairs_of_surrogates_are_characters():
    assert parsed('"\\ud83d\\ude00"', 10) == "😀"
