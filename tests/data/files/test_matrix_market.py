import gzip

import numpy as np
import pytest
import scipy.sparse

from isthmus.data.files import open_file, write_table

TEXT = "%%MatrixMarket matrix coordinate real general\n2 3 2\n1 1 1.5\n2 3 2\n"


def test_a_matrix_and_its_columns(tmp_path):
    path = tmp_path / "a.mtx.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    file = open_file(path, target="column_3")
    np.testing.assert_array_equal(file.data.toarray(), [[1.5, 0], [0, 0]])
    np.testing.assert_array_equal(file.target, [0, 2])


def test_a_damaged_matrix_is_refused(tmp_path):
    (tmp_path / "a.mtx").write_text(TEXT[:-8])
    with pytest.raises(ValueError, match="damaged or cut short"):
        open_file(tmp_path / "a.mtx")


def test_numbers_keep_every_bit(tmp_path):
    rows = scipy.sparse.csr_array(np.random.default_rng(0).normal(size=(20, 3)))
    np.testing.assert_array_equal(open_file(write_table(rows, tmp_path / "a.mtx.gz")).data.toarray(), rows.toarray())
