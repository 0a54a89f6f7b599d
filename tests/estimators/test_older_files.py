"""Files that older versions wrote are read, and give the numbers that they gave then."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.fuzz_models import EXAMPLES, IRIS, rows_with_a_pattern

from isthmus import load
from isthmus.core import tensor_file

SAVED = Path(__file__).parent / "saved"
"""A file of each kind, written by the last version whose files had that schema."""
NUMBERS = {
    "dense": lambda model: model.transform(IRIS[:1]),
    "streamed": lambda model: model.transform(IRIS[:1]),
    "mixed": lambda model: model.transform(EXAMPLES["mixed"].rows()[:1]),
    "clean_detector": lambda model: model.score_samples(rows_with_a_pattern(1)),
}
EXPECTED = {
    "dense": [[-2.264702808807589, 0.4800265965209893]],
    "streamed": [[-2.264702808877445, 0.480026597184387]],
    "mixed": [[0.37204158142660865, -0.5296274217107632]],
    "clean_detector": [-0.030106232363551012],
}
"""What the version that wrote them gave."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", NUMBERS)
def test_schema_3(kind):
    np.testing.assert_allclose(NUMBERS[kind](load(SAVED / f"schema3_{kind}.isthmus")), EXPECTED[kind], rtol=1e-6)


def test_they_have_no_checksum_and_are_saved_with_one(tmp_path):
    texts, _ = tensor_file.read(SAVED / "schema3_dense.isthmus")
    assert tensor_file.CHECKSUM not in texts
    load(SAVED / "schema3_dense.isthmus").save(tmp_path / "new")
    assert tensor_file.CHECKSUM in tensor_file.read(tmp_path / "new")[0]
