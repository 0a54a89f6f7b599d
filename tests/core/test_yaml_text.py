import math

import pytest

from isthmus.core.document import DocumentError, Place
from isthmus.core.yaml_text import parse_yaml, yaml_text

yaml = pytest.importorskip("yaml")


def test_values_and_their_places():
    document = parse_yaml("latent: 16\nhidden:\n  - 128\n  - 64\npenalty: {kl: {beta: 1e-3}}\n0: x\n", "run.yaml")
    assert document.value == {"latent": 16, "hidden": [128, 64], "penalty": {"kl": {"beta": 0.001}}, 0: "x"}
    assert document.place(("hidden", 1)) == Place(4, 5)
    assert document.place(("penalty", "kl", "beta")) == Place(5, 16)
    assert document.place(("penalty", "kl", "nothing")) == Place(5, 11)
    assert document.place(("nothing",)) == Place(1, 1)
    assert str(document.error(("hidden",), "wrong")) == "run.yaml, line 2, column 1: wrong"


def test_text_in_quotes_stays_text_and_keys_are_text_or_whole_numbers():
    document = parse_yaml("a: '1'\nb: \"true\"\nno: yes\n1e3: z\n'1': x\n1: y\nc: |\n  1\n", "run.yaml")
    assert document.value == {"a": "1", "b": "true", "no": "yes", "1e3": "z", "1": "x", 1: "y", "c": "1\n"}


def test_an_empty_file():
    assert parse_yaml("# nothing\n", "run.yaml").value is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, column 3: 'c' is there twice, first in line 3"),
        ("a: [1, 2", "line 1, column 9: no YAML .while parsing a flow sequence"),
        ("a: 1\n\tb: 2", "line 2, column 1: no YAML"),
        ("a: !!python/object/apply:os.system [ls]", "line 1, column 4: tags such as '!!python/object/apply:os.system'"),
        ("a: !!int '1'", "line 1, column 4: tags such as '!!int'"),
        ("a: &x [1]\nb: *x", "anchors are not allowed"),
        ("a: &x\n  - *x", "anchors are not allowed"),
        ("? [1]\n: 2", "line 1, column 3: a key must be text or a whole number"),
        ("a: 1\n---\nb: 2", "line 2, column 1: no YAML"),
        ("a: \x00", "no YAML .unacceptable character"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(DocumentError, match=message):
        parse_yaml(text, "run.yaml")


def test_what_is_written_is_read_by_this_reader_and_by_others():
    values = {
        "text": [
            "1e3",
            "no",
            "true",
            "null",
            "None",
            "",
            "a: b",
            "# c",
            "0o7",
            "é",
            "2026-01-02",
            "'",
            "1_000",
            " x ",
            "-",
        ],
        "numbers": [1, -2.5, 1e-300, 1e22, 0.1],
        "others": [True, None, [], {}],
        "deep": {"kl": {"beta": 4}, 3: "real"},
    }
    assert yaml_text({"latent": 8, "hidden": [8]}) == "latent: 8\nhidden: [8]\n"
    text = yaml_text(values)
    assert parse_yaml(text, "run.yaml").value == values
    assert yaml.safe_load(text) == values
    assert math.isinf(parse_yaml(yaml_text({"a": math.inf}), "run.yaml").value["a"])
