import datetime as dt
import gzip
import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from isthmus.data.files import open_file, write_table

HARD = [0.1, 1 / 3, 1e-308, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789, 2**53 + 1.0]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".csv.zst", ".csv.xz", ".csv.bz2", ".jsonl", ".jsonl.gz",
                                    ".parquet", ".feather", ".xlsx", ".npy", ".npz"])  # fmt: skip
def test_numbers_are_read_again_to_the_last_bit(tmp_path, ending):
    rows = np.array(HARD).reshape(-1, 2)
    data = open_file(write_table(rows, tmp_path / f"a{ending}", columns=["x", "y"]), header=True).data
    found = data if isinstance(data, np.ndarray) else np.stack([column.to_numpy() for column in data.columns], axis=1)
    np.testing.assert_array_equal(found, rows)


def test_single_precision_is_read_again(tmp_path):
    rows = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    data = open_file(write_table(rows, tmp_path / "a.csv")).data
    np.testing.assert_array_equal(data["value"].to_numpy().astype(np.float32), rows[:, 0])


FRAME = {"a": [1, None, 3], "b": ["x", 'say "hi", you', "two\nlines"], "c": [0.5, None, 2.5]}


@pytest.mark.parametrize("frame", [pd.DataFrame(FRAME).convert_dtypes(), pl.DataFrame(FRAME), pa.table(FRAME),
                                   pa.table(FRAME).to_batches()[0]])  # fmt: skip
def test_frames_of_all_libraries(tmp_path, frame):
    assert open_file(write_table(frame, tmp_path / "a.csv")).data.to_pydict() == FRAME


def test_columns_of_other_types_become_text(tmp_path):
    table = pa.table(
        {
            "day": [dt.date(2024, 2, 28), None],
            "time": [dt.datetime(2024, 2, 28, 13, 45), dt.datetime(2024, 2, 29)],
            "part": [dt.datetime(2024, 2, 28, 13, 45, 0, 250_000), None],
            "lasts": [dt.timedelta(minutes=1.5), None],
            "kind": pa.array(["u", "v"]).dictionary_encode(),
            "on": [True, None],
            "nan": [float("nan"), float("inf")],
        }
    )
    assert write_table(table, tmp_path / "a.csv").read_text() == (
        "day,time,part,lasts,kind,on,nan\n"
        "2024-02-28,2024-02-28 13:45:00,2024-02-28 13:45:00.250,90,u,true,\n"
        ",2024-02-29 00:00:00,,,v,,inf\n"
    )
    assert '"lasts": 90.0' in write_table(table, tmp_path / "a.jsonl").read_text()


def test_pieces_are_asked_for_as_they_are_written(tmp_path):
    seen = []

    def pieces():
        for start in range(3):
            seen.append((start, [file.name for file in tmp_path.iterdir() if file.name == "a.csv"]))
            yield np.full((2, 1), start)

    write_table(pieces(), tmp_path / "a.csv", columns=["x"])
    assert seen == [(0, []), (1, []), (2, [])]
    assert (tmp_path / "a.csv").read_text() == "x\n0\n0\n1\n1\n2\n2\n"


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx", ".jsonl", ".feather"])
def test_pieces_that_fail_leave_nothing(tmp_path, ending):
    def pieces():
        yield pa.table({"x": [1]})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(pieces(), tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="no rows to write"):
        write_table(iter([]), tmp_path / "b.csv")


def test_standard_output():
    stream = io.BytesIO()
    assert write_table(pa.table({"a,b": [1]}), "-", stream=stream) is None
    assert stream.getvalue() == b'"a,b"\n1\n'
    stream = io.BytesIO()
    write_table(np.zeros((1, 1)), "-", format="jsonl", stream=stream)
    assert stream.getvalue() == b'{"value": 0.0}\n'


def test_the_same_rows_make_the_same_bytes(tmp_path):
    for name in ("u", "v"):
        (tmp_path / name).mkdir()
    one, two = (write_table(np.arange(5.0), tmp_path / name / "a.csv.gz") for name in ("u", "v"))
    assert one.read_bytes() == two.read_bytes()
    assert gzip.decompress(one.read_bytes()).startswith(b"value\n")


def test_sparse_rows_as_text(tmp_path):
    rows = scipy.sparse.csr_array(np.eye(2))
    assert write_table(rows, tmp_path / "a.csv", columns=["u", "v"]).read_text() == "u,v\n1,0\n0,1\n"


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2 columns need 2 different names"):
        write_table(np.eye(2), tmp_path / "a.csv", columns=["x"])
    with pytest.raises(ValueError, match="rows and columns"):
        write_table(np.zeros((2, 2, 2)), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
