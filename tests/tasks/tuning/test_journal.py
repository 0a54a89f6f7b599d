"""Journals: a killed process leaves them whole, its trial is begun again, and several processes share one search."""

import json
import random
import subprocess
import sys
import time

import pytest

from isthmus import AutoEncoder
from isthmus.tasks.tuning.journal import Journal, remove_unfinished_line

DATA = """
import numpy as np
from isthmus import AutoEncoder, tune
import isthmus.tasks.tuning.tune, optuna
X = np.random.default_rng(0).normal(size=(600, 3)) @ np.random.default_rng(1).normal(size=(3, 6))
def search(path, **kind):
    space = {"hidden": [(8,), (16,)], "learning_rate": (1e-3, 1e-2, "log")}
    given = {"model": AutoEncoder(2, epochs=4), "space": space, "trials": 9, "random_state": 0} | kind
    return tune(given.pop("X", X), journal=path, **given)
"""
CHILD = (
    DATA
    + """
import sys
print("ready", flush=True)
sys.stdin.readline()
found = search(sys.argv[1], verbose=1)
print(len(found.table), found.chosen, found.best, flush=True)
"""
)
names: dict = {}
exec(DATA, names)
search = names["search"]


def child(path):
    command = [sys.executable, "-c", CHILD, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def events(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    path = tmp_path_factory.mktemp("alone") / "tuning.journal"
    return path, search(path)


def kept(found):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found.table]


@pytest.mark.slow
def test_a_search_goes_on_after_its_process_was_killed_at_any_moment(tmp_path, alone):
    path, moments = tmp_path / "tuning.journal", random.Random(0)
    waiting = [child(path) for _ in range(2)]
    for ended, process in enumerate(waiting):
        with process:
            process.stdin.write("go\n")
            process.stdin.flush()
            for _ in range(2 * ended):
                assert process.stdout.readline().startswith("trial")
            time.sleep(moments.uniform(0, 0.2))
            process.kill()
    found = search(path)
    assert len(found.table) == 9
    assert {row["state"] for row in found.table} <= {"complete", "pruned"}
    assert [row["note"] for row in found.table].count("defaults") == 1
    assert events(path)
    # What trials measure does not depend on who was killed when.
    value = {row["note"]: row["value"] for row in alone[1].table if row["note"]}
    assert {row["note"]: row["value"] for row in found.table if row["note"] in value} == value


@pytest.mark.slow
def test_two_processes_share_one_search(tmp_path):
    path = tmp_path / "tuning.journal"
    other = child(path)
    with other:
        other.stdin.write("go\n")
        other.stdin.flush()
        found = search(path)
        told = other.stdout.read().splitlines()[-1].split()
    assert told == [str(len(found.table)), str(found.chosen), str(found.best)]
    assert len(found.table) == 9
    workers = {event["worker_id"] for event in events(path) if event["op_code"] == 6}
    assert len(workers) == 2, "both have trials"


def test_a_finished_search_is_read_again(alone):
    path, first = alone
    size = path.stat().st_size
    again = search(path, random_state=None)
    assert kept(again) == kept(first)
    assert again.verdict == first.verdict
    assert path.stat().st_size - size < 300, "nothing but that a process opened it"


def test_more_trials_continue_it(alone):
    path, first = alone
    assert kept(search(path, trials=10))[:9] == kept(first)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"X": names["X"] + 1}, "data: 600 × 6 numbers, .* there, 600 × 6 numbers, .* here"),
        ({"model": AutoEncoder(3, epochs=4)}, r"model: AutoEncoder\(epochs=4, latent=2\) there"),
        (
            {"space": {"hidden": [(8,), (16,)]}},
            r"'learning_rate'\]: 0.001 to 0.01 \(log\) there, not searched here",
        ),
        ({"random_state": 1}, "random_state 0 there"),
        ({"objective": "score"}, "objective: error there, score here"),
    ],
)
def test_another_search_is_refused_with_the_difference(alone, kind, message):
    size = alone[0].stat().st_size
    with pytest.raises(ValueError, match=message):
        search(alone[0], **kind)
    assert alone[0].stat().st_size - size < 300


def test_files_that_can_be_no_journal_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        search(tmp_path / "none" / "tuning.journal")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        search(tmp_path)
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(OSError, match="another kind of file"):
        search(table)
    assert table.read_text() == "a,b\n1,2\n"


def test_a_folder_without_permission_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        search(tmp_path / "tuning.journal")


@pytest.mark.parametrize("content", [b"", b"whole\n", b"whole\nhalf", b"half", b"a\nb\n" + b"c" * 200_000])
def test_an_unfinished_line_is_removed(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    remove_unfinished_line(path)
    assert path.read_bytes() == content[: content.rfind(b"\n") + 1]


def test_an_unfinished_first_line_is_no_other_kind_of_file(tmp_path):
    path = tmp_path / "tuning.journal"
    path.write_bytes(b'{"op_co')
    Journal(path).close()
    assert path.read_bytes() == b""


def test_a_journal_in_memory_has_nothing_elsewhere():
    journal = Journal(None)
    journal.start(0)
    assert not journal.runs_elsewhere(0)
    journal.end(0)
    journal.close()
