"""Mutated model files: with a stale checksum none loads with other numbers; signed anew, none breaks but in words."""

import pytest
from benchmarks.fuzz import GOOD, case, counted
from benchmarks.fuzz_models import EXAMPLES, written

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif("not hasattr(__import__('signal'), 'setitimer')", reason="a limit on time needs a timer"),
]
LIGHT = ("dense", "sparse counts", "streamed", "clean detector", "contaminated detector")
"""Examples that are fitted, loaded and used in little time; signed mutations of the others are for `make soak`."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return written(tmp_path_factory.mktemp("fuzz"))


def bad(counts):
    return {name: count for name, count in counts.items() if name.strip() and name not in GOOD}


def test_a_changed_file_is_refused_or_gives_the_same_numbers(files):
    assert bad(counted(files, range(1600), seed=1, sign=False)) == {}


def test_a_file_that_a_hostile_sender_signed_breaks_nothing(files):
    light = {name: files[name] for name in LIGHT}
    assert bad(counted(light, range(300), seed=2, sign=True)) == {}


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - set(LIGHT)))
def test_heavier_files_that_were_signed(files, name):
    assert bad(counted({name: files[name]}, range(25), seed=3, sign=True)) == {}


def test_a_case_is_the_same_for_its_seed_and_number(files):
    originals = {name: path.read_bytes() for name, path in files.items()}
    assert case(originals, 0, 17) == case(originals, 0, 17)
    assert len({case(originals, 0, number).content for number in range(50)}) > 40
