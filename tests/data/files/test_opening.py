"""Files of every format, sound and broken, through the front door."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.sparse

import isthmus
from isthmus.data.files import open_file, write_table
from isthmus.data.schema import TableSchema

TABLE = {"id": ["007", "012", "123"], "town": ["Köln", None, "a, b"], "area": [1.5, None, 3.25], "n": [1, 2, 3]}
CSV = 'id,town,area,n\n007,Köln,1.5,1\n012,,n/a,2\n123,"a, b",3.25,3\n'


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_file(path, **options)


def test_a_table_comes_with_its_types(tmp_path):
    file = read(tmp_path / "a.csv", CSV)
    assert file.data.to_pydict() == TABLE
    assert (file.rows, file.columns, file.name, file.format) == (3, tuple(TABLE), "a", "csv")
    assert file.found == (
        "text with comma between cells, names in the first line, encoding utf-8, decimal sign '.'",
        "column 'area': 'n/a' read as missing (1 cells)",
        "3 rows, 4 columns",
    )


def test_roles_part_the_columns(tmp_path):
    file = read(tmp_path / "a.csv", CSV, ids="id", target="n", exclude=["town"])
    assert file.data.to_pydict() == {"area": [1.5, None, 3.25]}
    assert file.ids.to_pydict() == {"id": ["007", "012", "123"]}
    np.testing.assert_array_equal(file.target, [1, 2, 3])
    assert file.target_name == "n"


@pytest.mark.parametrize(
    ("ending", "pack"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
     (".zst", lambda content: pa.Codec("zstd").compress(content, asbytes=True))],
)  # fmt: skip
def test_compressed_text(tmp_path, ending, pack):
    file = read(tmp_path / f"a.csv{ending}", pack(CSV.encode()))
    assert file.data.to_pydict() == TABLE
    damaged = pack(CSV.encode() * 100)
    with pytest.raises(ValueError, match="is damaged or cut short"):
        read(tmp_path / f"b.csv{ending}", damaged[: len(damaged) // 2])


def test_archives(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", CSV)
    assert open_file(path).data.to_pydict() == TABLE
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.csv", "x\n1\n")
    with pytest.raises(ValueError, match=r"an archive of 2 files, .* as in .*a.csv; its files are a.csv, b.csv"):
        open_file(path)
    assert open_file(f"{path}::b.csv").data.to_pydict() == {"x": [1]}
    with pytest.raises(ValueError, match=r"has no file 'c.csv'; its files are"):
        open_file(f"{path}::c.csv")
    content = bytearray(path.read_bytes())
    content[-30:] = b"x" * 30
    with pytest.raises(ValueError, match="damaged"):
        read(path, bytes(content))


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet", ".feather", ".xlsx"])
def test_what_is_written_is_read_again(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    assert write_table(pa.table(TABLE), path) == path
    assert open_file(path).data.to_pydict() == TABLE


def test_text_under_a_wrong_ending_is_told(tmp_path):
    file = read(tmp_path / "a.parquet", CSV)
    assert file.data.to_pydict() == TABLE
    assert "the ending of a.parquet says parquet, but it holds text" in file.found
    pa.parquet.write_table(pa.table(TABLE), tmp_path / "b.csv")
    file = open_file(tmp_path / "b.csv")
    assert file.format == "parquet"
    assert file.found[0].startswith("the ending of b.csv says csv; by its first bytes it is Parquet")
    with pytest.raises(ValueError, match=r"is no Parquet.*it begins with"):
        read(tmp_path / "c.parquet", b"\x01\x02\x03\x04\x05")


def test_a_file_without_ending_is_told(tmp_path):
    assert read(tmp_path / "records", '{"a": 1}\n{"a": 2}\n').format == "json"
    file = read(tmp_path / "rows", "a,b\n1,2\n")
    assert file.found[0] == "taken for cells in lines of text, by its first bytes"


def test_standard_input(tmp_path):
    file = open_file("-", stream=io.BytesIO(gzip.compress(CSV.encode())))
    assert file.data.to_pydict() == TABLE
    assert (file.name, file.path) == ("standard input", None)
    with pytest.raises(ValueError, match="standard input is empty"):
        open_file("-", stream=io.BytesIO(b""))


def test_named_data_sets(tmp_path, monkeypatch):
    file = open_file("iris")
    assert (file.rows, file.format, len(file.columns), set(file.target)) == (
        120, "named", 4, {"setosa", "versicolor", "virginica"},
    )  # fmt: skip
    assert open_file("digits::test").data.shape == (355, 8, 8)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").write_text("a,b\n1,2\n")
    assert "the file iris, and not the data set of that name" in open_file("iris").found


def test_pairs_become_a_sparse_matrix(tmp_path):
    text = "user\titem\trating\tday\nb\t10\t1\t1\na\t9\t2\t1\nb\t10\t3\t2\n"
    file = read(tmp_path / "a.tsv", text, pivot="user,item,rating")
    assert scipy.sparse.issparse(file.data)
    assert file.data.toarray().tolist() == [[2, 0], [0, 4]]
    assert (file.columns, file.ids.to_pydict()) == (("9", "10"), {"user": ["a", "b"]})
    assert "1 rows repeat a pair; they were added" in file.found
    assert read(tmp_path / "a.tsv", text, pivot=["user", "item"]).data.toarray().tolist() == [[1, 0], [0, 2]]
    with pytest.raises(ValueError, match="leave out columns"):
        open_file(tmp_path / "a.tsv", pivot="user,item", ids="day")


@pytest.mark.parametrize("limit", [1, None])
def test_limits_of_memory_change_nothing(tmp_path, limit):
    rows = 200_000
    text = "id,x,g\n" + "".join(f"{i:06},{i % 7},{'ab'[i % 2]}\n" for i in range(rows)) + "last,0.5,a\n"
    with read(tmp_path / "a.csv", text, ids="id", target="g", memory=limit) as file:
        assert file.streamed is (limit == 1)
        assert (file.rows, file.columns) == (rows + 1, ("x",))
        assert file.ids["id"][0].as_py() == "000000"
        assert file.ids["id"][rows].as_py() == "last"
        assert file.target[-1] == "a"
        whole = pa.parquet.read_table(file.data) if file.streamed else file.data
        assert whole["x"].type == pa.float64()
        assert whole["x"][rows].as_py() == 0.5
        folder = file.folder.made
    assert folder is None or not folder.exists()


def test_every_estimator_takes_a_streamed_file(tmp_path):
    rng = np.random.default_rng(0)
    text = "a;b;c\n" + "".join(
        f"{x:.3f};{x * 2:.3f};{'uv'[int(x > 0)]}\n".replace(".", ",") for x in rng.normal(size=300)
    )
    whole = read(tmp_path / "a.csv", text)
    piecewise = open_file(tmp_path / "a.csv", memory=1)
    assert piecewise.streamed
    model = isthmus.AutoEncoder(latent=1, epochs=1, random_state=0).fit(piecewise.data)
    np.testing.assert_allclose(model.transform(whole.data), model.transform(piecewise.data), rtol=1e-6)


def test_the_same_file_for_a_model(tmp_path):
    text = "zip;x;y\n" + "".join(f"{'01234' if i % 3 else '99999'};{i % 5},5;{i % 4}\n" for i in range(60))
    model = isthmus.AutoEncoder(latent=1, epochs=1, random_state=0).fit(read(tmp_path / "a.csv", text).data)
    schema: TableSchema = model._model().schema
    later = read(tmp_path / "b.csv", "y;x;zip\n1;2;99999\n2;3;99999\n", schema=schema)
    assert later.data["zip"].to_pylist() == ["99999"] * 2, "text in training stays text"
    assert model.transform(later.data).shape == (2, 1)
    with pytest.raises(ValueError, match="'zip' is missing; 'w' is new"):
        model.transform(read(tmp_path / "c.csv", "y;x;w\n1;2;3\n", schema=schema).data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "holds only names in the first line and no rows"),
        ("\n\n", "holds no rows"),
        ("a,b\n1,2\n1\n3,4\n", "line 3 has 1 cells, and 2 are expected, as in line 1"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells"),
        ('a,b\n1,"x\n2,y\n', "the mark in line 2, column 3 is never closed"),
        ('a,b\n1,"x"z\n2,y\n', "the mark in line 2, column 5 is followed by 'z'"),
        ("a,b,a\n1,2,3\n", r"2 columns called 'a' \(columns 1 and 3\)"),
        (b"a\n\xc3\xa4\n\xe4\n", "mixes two encodings: line 3"),
        (b"a,b\n1,\x00\n", r"zero byte \(NUL\) in line 2"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x80\x04\x95abc", "is a pickle"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"old kind \(.xls\)"),
        (b"PAR1 and nothing more", "cannot be read: it is truncated"),
        (b"<!doctype html>", "is a web page"),
    ],
)
def test_broken_files_are_refused_in_words(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.csv", content)


def test_marks_within_words_are_text(tmp_path):
    file = read(tmp_path / "a.csv", 'a,b\n5" pipe,1\n"x, y",2\n3" pipe,3\n')
    assert file.data.to_pydict() == {"a": ['5" pipe', "x, y", '3" pipe'], "b": [1, 2, 3]}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_and_marks_at_the_beginning(tmp_path, codec):
    file = read(tmp_path / "a.csv", CSV.encode(codec))
    assert file.data.to_pydict() == TABLE
    assert codec in file.found[0]


def test_odd_lines(tmp_path):
    assert read(tmp_path / "a.csv", "a,b\r1,2\r3,4\r").data.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert read(tmp_path / "a.csv", "a,b\r\n1,2\r\n\r\n3,4").data.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert read(tmp_path / "a.csv", 'a,"b\nc"\n1,2\n').data.to_pydict() == {"a": [1], "b\nc": [2]}
    assert read(tmp_path / "a.csv", "a, b\n1, x\n3, y\n").data.to_pydict() == {"a": [1, 3], "b": ["x", "y"]}
    assert read(tmp_path / "a.csv", "a   b\n1   2\n3  4\n").data.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert read(tmp_path / "a.csv", "a\n1\n2\n").data.to_pydict() == {"a": [1, 2]}
    with pytest.raises(ValueError, match="line 3 has 3 cells"):
        read(tmp_path / "a.csv", "a   b\n1   2\n3  4 5\n", delimiter=" ")


def test_options_come_before_what_is_found(tmp_path):
    file = read(tmp_path / "a.dat", "x|'1'|2,5\ny|'2'|3,5\n", delimiter="|", header=False, quote="'", decimal=",")
    assert file.data.to_pydict() == {"column_1": ["x", "y"], "column_2": [1, 2], "column_3": [2.5, 3.5]}
    with pytest.raises(ValueError, match="a semicolon does not stand between"):
        read(tmp_path / "a.csv", CSV, delimiter=";")
    with pytest.raises(ValueError, match="decimal sign must be"):
        read(tmp_path / "a.csv", CSV, decimal="·")
    with pytest.raises(ValueError, match="unknown format 'cvs'; did you mean 'csv'"):
        read(tmp_path / "a.csv", CSV, format="cvs")


@pytest.mark.parametrize("name", ["parquet", "excel", "sqlite", "npy", "npz", "duckdb", "arrow"])
def test_a_format_that_the_file_has_not(tmp_path, name):
    with pytest.raises(ValueError, match=r"a.csv is no .* by its first bytes, b'id,town,', it is something else"):
        read(tmp_path / "a.csv", CSV, format=name)
    write_table(np.eye(2), tmp_path / "b.npy")
    with pytest.raises(ValueError, match=r"b.npy is no cells in lines of text: .* it is an array of numpy"):
        open_file(tmp_path / "b.npy", format="csv")


def test_odd_options_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is not utf-16: UTF-16 stream does not start with BOM"):
        read(tmp_path / "a.csv", CSV, encoding="utf-16")
    with pytest.raises(ValueError, match="the quotation mark must be one character"):
        read(tmp_path / "a.csv", CSV, quote="<>")


def test_excel_under_another_name(tmp_path):
    write_table(pa.table(TABLE), tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    assert open_file(tmp_path / "a.csv").data.to_pydict() == TABLE


def test_a_folder_without_what_was_asked(tmp_path):
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(ValueError, match=r"holds no Parquet file; it holds note.txt"):
        open_file(tmp_path)


def test_temporary_files_go_if_reading_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    text = "a,b\n" + "1,2\n" * 80_000 + "3\n"
    with pytest.raises(ValueError, match="line 80002 has 1 cells"):
        read(tmp_path / "a.csv", text, memory=1)
    import gc

    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []
