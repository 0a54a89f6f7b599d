import json

import pytest

from isthmus.core.document import DocumentError, Place
from isthmus.core.json_text import parse_json

TEXT = '{\n  "latent": 16,\n  "hidden": [128, 6.4e1, -1],\n  "a\\n\\u00e9": {"b": [true, null, "x", {}], "": []}\n}\n'


def test_values_and_their_places():
    document = parse_json(TEXT, "run.json")
    assert document.value == json.loads(TEXT)
    assert document.place(("hidden", 2)) == Place(3, 26)
    assert document.place(("a\né", "b", 3)) == Place(4, 40)
    assert document.place(("latent",)) == Place(2, 3)


@pytest.mark.parametrize("text", ["1", '"a"', "[]", "{}", " null ", "[[], [[1]]]", '{"a": {"b": {}}}'])
def test_it_reads_what_python_reads(text):
    assert parse_json(text, "run.json").value == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "a": 2}', "line 2, column 2: 'a' is there twice, first in line 1"),
        ('{"a": 1', "line 1, column 8: no JSON .',' was expected; the end came"),
        ('{"a" 1}', "line 1, column 6: no JSON .':' was expected; '1' came"),
        ("{a: 1}", "line 1, column 2: no JSON"),
        ("[1 2]", "line 1, column 4: no JSON .',' was expected"),
        ("[1,]", "line 1, column 4: no JSON"),
        ('{"a": NaN}', "line 1, column 7: no JSON .NaN is no number"),
        ('{"a": 1} x', "line 1, column 10: the end was expected"),
        ("", "line 1, column 1: no JSON"),
        ('{\n"a": "b\n"}', "line 2, column 8: no JSON"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(DocumentError, match=message):
        parse_json(text, "run.json")
