"""What a file is by its first bytes, whatever its name says."""

SIGNATURES: dict[str, tuple[tuple[int, bytes], ...]] = {
    "gzip": ((0, b"\x1f\x8b"),),
    "zstd": ((0, b"\x28\xb5\x2f\xfd"),),
    "bzip2": ((0, b"BZh"),),
    "xz": ((0, b"\xfd7zXZ\x00"),),
    "zip": ((0, b"PK\x03\x04"), (0, b"PK\x05\x06")),
    "parquet": ((0, b"PAR1"),),
    "arrow": ((0, b"ARROW1"), (0, b"\xff\xff\xff\xff"), (0, b"FEA1")),
    "npy": ((0, b"\x93NUMPY"),),
    "sqlite": ((0, b"SQLite format 3\x00"),),
    "duckdb": ((8, b"DUCK"),),
    "mtx": ((0, b"%%MatrixMarket"),),
}
"""(position, bytes) by which the files of a format are known; of these, one must be there."""
FOREIGN: dict[bytes, str] = {
    b"\x89HDF\r\n\x1a\n": "HDF5; open it with h5py and give fit() a data set of it",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel file of the old kind (.xls); save it as .xlsx",
    b"%PDF": "a PDF; give the table itself, for example as CSV",
    b"\x89PNG": "an image (PNG); give a table, or an array of images as .npy",
    b"\xff\xd8\xff": "an image (JPEG); give a table, or an array of images as .npy",
    b"GIF8": "an image (GIF); give a table, or an array of images as .npy",
    b"\x80\x04\x95": "a pickle, which can run code when it is read; write the table as Parquet instead",
    b"\x80\x03": "a pickle, which can run code when it is read; write the table as Parquet instead",
    b"\x80\x05\x95": "a pickle, which can run code when it is read; write the table as Parquet instead",
    b"ORC": "ORC; convert it to Parquet",
    b"Obj\x01": "Avro; convert it to Parquet",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"<!DO": "a web page; download the file itself",
    b"<htm": "a web page; download the file itself",
    b"<?xm": "XML; convert it to CSV or JSON lines",
    b"version https://git-lfs": "a pointer of Git LFS and not the file itself; fetch it with git lfs pull",
}
"""First bytes of files that are not read, what these are and what to do."""
HEAD = 64
"""Bytes that are looked at."""


def signature(head: bytes) -> str:
    """Return the format or the compression that a file has by its first bytes; "" for none that is known.

    >>> signature(b"PAR1..."), signature(b"a,b")
    ('parquet', '')
    """
    for name, marks in SIGNATURES.items():
        if any(head[place : place + len(mark)] == mark for place, mark in marks):
            return name
    return ""


def refuse_foreign(head: bytes, shown: str) -> None:
    """Raise a `ValueError` if a file is of a kind that is not read; the message says what to do."""
    for mark, what in FOREIGN.items():
        if head[: len(mark)].lower() == mark.lower() if mark[:1] == b"<" else head.startswith(mark):
            raise ValueError(f"{shown} is {what}")


def looks_like_json(head: bytes) -> bool:
    """Whether text begins as JSON records do."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
