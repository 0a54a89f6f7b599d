import io

import pytest

from isthmus.data.files.encodings import Encoding
from isthmus.data.files.text_streams import Utf8Stream

TEXT = "town,ä\nKöln,€\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_text_comes_as_utf8_however_it_is_cut(codec, size):
    stream = Utf8Stream(io.BytesIO(TEXT.encode(codec)), Encoding(codec, given=True), "a.csv")
    assert b"".join(iter(lambda: stream.read(size), b"")) == TEXT.encode()


def test_zero_bytes_are_refused_with_their_line():
    stream = Utf8Stream(io.BytesIO(b"a\n1\n\0\n"), Encoding("utf-8"), "a.csv")
    with pytest.raises(ValueError, match=r"zero byte \(NUL\) in line 3"):
        stream.read()


def test_a_late_mixture_is_refused_with_its_place():
    content = "ä\n".encode() + b"1\n" * 10 + b"\xe9\n"
    stream = Utf8Stream(io.BytesIO(content), Encoding("utf-8"), "a.csv")
    with pytest.raises(ValueError, match=r"mixes two encodings: line 12 holds the byte 0xE9 \(byte 23 of"):
        stream.read()


def test_letters_of_utf8_in_text_taken_for_windows_are_a_mixture():
    stream = Utf8Stream(io.BytesIO(b"\xe9\n" + "ä\n".encode()), Encoding("cp1252"), "a.csv")
    with pytest.raises(ValueError, match="mixes two encodings: line 2"):
        stream.read()
    given = Utf8Stream(io.BytesIO(b"\xe9\n" + "ä\n".encode()), Encoding("cp1252", given=True), "a.csv")
    assert given.read().decode() == "é\nÃ¤\n"


def test_bytes_that_a_given_encoding_does_not_allow_are_refused():
    stream = Utf8Stream(io.BytesIO(b"a\n\xe9\n"), Encoding("utf-8", given=True), "a.csv")
    with pytest.raises(ValueError, match=r"is not all utf-8: line 2 holds the byte 0xE9 \(byte 2 of"):
        stream.read()


def test_bare_returns_become_line_feeds():
    assert Utf8Stream(io.BytesIO(b"a\r1\r"), Encoding("utf-8"), "a.csv", bare_returns=True).read() == b"a\n1\n"
