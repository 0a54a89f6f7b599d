import subprocess
import sys

import pytest

import isthmus
from isthmus.cli.main import main


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["isthmus", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_version(monkeypatch, capsys):
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"isthmus {isthmus.__version__}\n"


def test_help_lists_the_commands(monkeypatch, capsys):
    assert run(monkeypatch, "--help") == 0
    assert "reproduce" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["reproduce", "--help"], ["--version"]])
def test_help_does_not_import_torch(words):
    code = (
        "import sys\nfrom isthmus.cli.main import app\n"
        f"try:\n    app({words!r})\nexcept SystemExit:\n    pass\nassert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_an_error_that_the_user_can_fix_is_one_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(monkeypatch, "reproduce", "--data", "digits", "--out", tmp_path / "file") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("isthmus: cannot write the report to the folder ")
    assert captured.err.count("\n") == 1


def test_unknown_names_are_refused(monkeypatch, capsys):
    assert run(monkeypatch, "reproduce", "--data", "minst") == 2
    assert "mnist" in capsys.readouterr().err
    assert run(monkeypatch, "reproduce", "--epochs", "0") == 2


def test_an_interruption_prints_no_traceback(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("isthmus.paper.reproduce", interrupted)
    assert run(monkeypatch, "reproduce") == 130
    assert "Traceback" not in capsys.readouterr().err
