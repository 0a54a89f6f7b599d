import io

import pytest

from isthmus.data.files.encodings import found_encoding, known_encoding


def found(content: bytes) -> str:
    return found_encoding(lambda: io.BytesIO(content), "a.csv").name


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-32", "utf-32"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("cp1252", "cp1252")],
)  # fmt: skip
def test_encodings_are_found(codec, name):
    assert found("town,area\nMünchen,1\nKöln,2\n".encode(codec)) == name


def test_a_late_letter_decides():
    assert found(b"a\n" * 600_000 + "ü\n".encode("cp1252")) == "cp1252"
    assert found(b"a\n" * 600_000 + "ü\n".encode()) == "utf-8"
    assert found(b"a" * ((1 << 20) - 1) + "ü\n".encode()) == "utf-8", "a letter on the edge of two blocks"


def test_a_byte_that_windows_has_not_is_latin():
    assert found(b"a\xe9\x81b\n") == "latin-1"


def test_a_mixture_is_refused_with_its_place():
    content = b"a\n" + "ü\n".encode() + "é\n".encode("latin-1")
    with pytest.raises(ValueError, match=r"line 3 holds the byte 0xE9 \(byte 5 of the file\)"):
        found(content)


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="unknown encoding 'utf-9'"):
        known_encoding("utf-9")
