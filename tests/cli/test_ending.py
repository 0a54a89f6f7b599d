import json

import pytest

from isthmus.cli.ending import DATA_OR_RUN, INTERRUPTED, USAGE, UsageError, ended_by


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("column 'a' is twice"), DATA_OR_RUN, "column 'a' is twice"),
        (FileNotFoundError("there is no file x"), DATA_OR_RUN, "there is no file x"),
        (OSError(28, "No space left on device", "out.csv"), DATA_OR_RUN, "out.csv: no space left on device"),
        (ImportError("needs x: pip install 'isthmus[x]'"), DATA_OR_RUN, "needs x: pip install 'isthmus[x]'"),
        (UsageError("give the model first"), USAGE, "give the model first"),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted; nothing was written"),
        (
            TypeError("no\nsuch"),
            DATA_OR_RUN,
            "an error inside isthmus, TypeError: no such; run the command again with --debug to see where, and report "
            "it",
        ),
    ],
)
def test_one_line_and_a_code(capsys, error, code, line):
    assert ended_by(error) == code
    assert capsys.readouterr() == ("", f"isthmus: {line}\n")


def test_an_error_as_json(capsys):
    assert ended_by(ValueError("no rows"), as_json=True) == DATA_OR_RUN
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"error": "no rows"}
