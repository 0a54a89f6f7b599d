"""Locks keep other processes out, and end with their process."""

import subprocess
import sys

from isthmus.core.file_locks import ByteLocks

HOLDING = """
import sys
from pathlib import Path
from isthmus.core.file_locks import ByteLocks
locks = ByteLocks(Path(sys.argv[1]))
locks.take(3)
print(locks.try_take(4), flush=True)
sys.stdin.read()
"""


def test_a_lock_keeps_other_processes_out_until_its_process_is_killed(tmp_path):
    path = tmp_path / "work.lock"
    with ByteLocks(path) as locks:
        command = [sys.executable, "-c", HOLDING, str(path)]
        other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with other:
            assert other.stdout.readline().strip() == "True"
            assert not locks.try_take(3)
            assert not locks.try_take(4)
            assert locks.try_take(5)
            other.kill()
        locks.take(3)
        assert locks.try_take(4)


def test_a_released_lock_is_free(tmp_path):
    with ByteLocks(tmp_path / "work.lock") as locks:
        locks.take(0)
        locks.release(0)
        assert locks.try_take(0)
    assert (tmp_path / "work.lock").read_bytes() == b""
