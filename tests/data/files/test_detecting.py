import pytest

from isthmus.data.files import opening  # noqa: F401  registers the formats
from isthmus.data.files.detecting import named_format, readable
from isthmus.data.files.registry import FORMATS, format_of_ending, reads
from isthmus.data.files.signatures import SIGNATURES, refuse_foreign, signature


def test_formats_have_endings_of_their_own():
    endings = [ending for known in FORMATS.values() for ending in known.endings]
    assert len(set(endings)) == len(endings)
    assert format_of_ending("A.CSV") is FORMATS["csv"]
    assert format_of_ending("a.unknown") is None


def test_formats_are_named_by_themselves_or_an_ending():
    assert named_format(".xlsx", readable()) is FORMATS["excel"]
    with pytest.raises(ValueError, match="unknown format 'parket'; did you mean 'parquet'"):
        named_format("parket", readable())


def test_a_format_is_one_function():
    @reads("lines", (".lines",), "lines")
    def read_lines(place, wishes):
        raise NotImplementedError

    assert FORMATS.pop("lines").read is read_lines


def test_signatures_are_known_formats_or_compressions():
    assert set(SIGNATURES) <= {*FORMATS, "gzip", "zstd", "bzip2", "xz", "zip"}
    for name, marks in SIGNATURES.items():
        assert signature(b"\0" * marks[0][0] + marks[0][1] + b"\0" * 8) == name


@pytest.mark.parametrize("head", [b"\x89HDF\r\n\x1a\n", b"%PDF-1.4", b"<HTML>", b"version https://git-lfs.github.com"])
def test_foreign_files_are_refused(head):
    with pytest.raises(ValueError, match=r"^a\.bin is "):
        refuse_foreign(head, "a.bin")
    refuse_foreign(b"a,b\n", "a.csv")
