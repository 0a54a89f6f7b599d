import pytest

from isthmus.cli.assistants import OutsideError, refuse_outside, tools

TOOLS = tools()


def test_the_commands_are_tools():
    assert {"train", "anomalies", "zoo_list", "data_fetch", "check"} <= set(TOOLS)
    assert not {"mcp", "reproduce"} & set(TOOLS)


@pytest.mark.parametrize("name", TOOLS)
def test_schemas_are_whole(name):
    schema = TOOLS[name].schema()
    assert set(schema["required"]) <= set(schema["properties"])
    assert not {"as_json", "quiet", "debug"} & set(schema["properties"])
    for one in schema["properties"].values():
        assert one["type"] in ("string", "integer", "number", "boolean", "array")
        assert one["description"]


def test_the_words_of_a_call(tmp_path):
    given = {
        "data": "rows.csv",
        "out": "m.isthmus",
        "assignments": ["epochs=3", "patience=2"],
        "force": True,
        "records": False,
        "kind": "imputer",
        "seed": 7,
    }
    assert sorted(TOOLS["train"].words(given, tmp_path)) == sorted(
        [
            *("train", "--out=m.isthmus", "--set=epochs=3", "--set=patience=2", "--force", "--no-records"),
            *("--as=imputer", "--seed=7", "--json", "--", "rows.csv"),
        ]
    )


def test_a_value_is_never_an_option(tmp_path):
    words = TOOLS["train"].words({"data": "--debug", "out": "m.isthmus"}, tmp_path)
    assert words[-2:] == ["--", "--debug"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "rows.csv"}, "train needs the argument 'out'"),
        ({"data": "rows.csv", "out": "m", "sed": 1}, "unknown argument 'sed'; did you mean 'seed'"),
        ({"data": "rows.csv", "out": "m", "seed": "1"}, "the argument 'seed' must be of type integer; got '1'"),
        ({"data": 3, "out": "m"}, "the argument 'data' must be of type string; got 3"),
        ({"data": "rows.csv", "out": "../m.isthmus"}, "is outside of the folder"),
        ({"data": "/etc/passwd", "out": "m"}, "is outside of the folder"),
        ({"data": "a.csv", "out": "m", "recipe": "../run.yaml"}, "is outside of the folder"),
        ({"data": "-", "out": "m"}, "tools read and write files"),
    ],
)
def test_bad_calls_are_refused(given, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        TOOLS["train"].words(given, tmp_path)


def test_links_are_followed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a\n1\n")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "own.csv").symlink_to(inside / "rows.csv")
    refuse_outside("own.csv", inside)
    for place in ("link.csv", ".", "*.csv", "link.csv::x", "~root/x", "/etc/*"):
        with pytest.raises(OutsideError):
            refuse_outside(place, inside)
