import pytest

from isthmus.data.files import open_file


def read(tmp_path, text, **options):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    return open_file(path, **options)


def test_records_become_columns_with_dots(tmp_path):
    file = read(tmp_path, '{"a": 1, "b": {"c": "007", "d": null}}\n\n{"b": {"c": "x"}, "e": true}\n')
    assert file.data.to_pydict() == {"a": [1, None], "b.c": ["007", "x"], "b.d": [None, None], "e": [None, True]}
    assert "records within records became columns, with dots in their names" in file.found


def test_a_list_of_records(tmp_path):
    assert read(tmp_path, '[{"a": 1},\n {"a": 2.5}]').data.to_pydict() == {"a": [1, 2.5]}


def test_late_types_count(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.data.files.json_lines.ROWS", 2)
    lines = '{"a": 1}\n' * 5 + '{"a": 2.5, "late": "x"}\n' + '{"a": "n/a"}\n'
    file = read(tmp_path, lines)
    assert file.data.to_pydict() == {"a": [1] * 5 + [2.5, None], "late": [None] * 5 + ["x", None]}
    assert file.found[1] == "column 'a': 'n/a' read as missing (1 cells)"


def test_lists_are_left_out_only_if_the_user_says_so(tmp_path):
    text = '{"a": 1, "tags": [1, 2]}\n'
    with pytest.raises(ValueError, match=r"'tags' in line 1 of a.jsonl is a list.*exclude='tags'"):
        read(tmp_path, text)
    assert read(tmp_path, text, exclude="tags").data.to_pydict() == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": \n', r"line 2 of a.jsonl is no JSON \(column"),
        ("[1, 2]\n", "record 1 of a.jsonl is a number and not a record"),
        ('{"a": 1}\n3\n', "line 2 of a.jsonl is a number and not a record"),
        ('{"a.b": 1, "a": {"b": 2}}\n', "two values called 'a.b'"),
        ("[]", "holds no records"),
    ],
)
def test_broken_records_are_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)
