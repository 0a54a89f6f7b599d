"""The encoding of text: found by looking, checked to the last byte, and turned into UTF-8 on the way."""

import codecs
import re
from collections.abc import Callable
from typing import IO, NamedTuple

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, with the encoding that reads and removes them."""
NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
LETTER_OF_UTF8 = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""Bytes that are a letter in UTF-8, and hardly ever occur together in an encoding of one byte per letter."""
BLOCK = 1 << 20


class Encoding(NamedTuple):
    """The encoding of a file."""

    name: str
    """As Python knows it."""
    why: str = ""
    """How it was found; "" if nothing needs to be said."""
    given: bool = False
    """Whether the user named it."""


def known_encoding(name: str) -> Encoding:
    """Return the encoding that the user named.

    Raises
    ------
    ValueError
        If Python knows none of this name.
    """
    try:
        return Encoding(codecs.lookup(name).name, given=True)
    except LookupError as error:
        raise ValueError(
            f"unknown encoding {name!r}; known are utf-8, utf-16, cp1252, latin-1 and all others of Python"
        ) from error


def found_encoding(open_file: Callable[[], IO[bytes]], shown: str) -> Encoding:
    """Find the encoding of a file by reading it until its bytes decide.

    The first letter beyond ASCII does: bytes that UTF-8 does not allow make it Windows' encoding of western Europe
    (cp1252). A file that has letters of UTF-8 as well was put together from two encodings, and is refused.

    Raises
    ------
    ValueError
        If the encodings are mixed; the line and the byte are told.
    """
    with open_file() as file:
        head = file.read(BLOCK)
        for mark, name in MARKS:
            if head.startswith(mark):
                return Encoding(name, "by its byte order mark")
        wide = without_mark(head)
        if wide:
            return Encoding(wide, "by the zero bytes between its letters")
        return by_letters(file, head, shown)


def without_mark(head: bytes) -> str:
    """Return which UTF-16 a text without a byte order mark is, by where its zero bytes are; "" if it is none."""
    sample = head[: 4096 - 4096 % 2]
    if len(sample) < 4:
        return ""
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    half = len(sample) // 2
    if odd > 0.6 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.05 * half else ""


def by_letters(file: IO[bytes], head: bytes, shown: str) -> Encoding:
    """Tell UTF-8 from cp1252 by the first letters beyond ASCII."""
    start = lines = 0
    block = head
    while block:
        if not block.isascii():
            # A letter may be cut by the end of the block.
            block += file.read(3)
            try:
                codecs.getincrementaldecoder("utf-8")().decode(block)
            except UnicodeDecodeError as error:
                line = lines + 1 + block[: error.start].count(b"\n")
                return eight_bits(block, error.start, line, start + error.start, shown)
            return Encoding("utf-8")
        start, lines = start + len(block), lines + block.count(b"\n")
        block = file.read(BLOCK)
    return Encoding("utf-8")


def eight_bits(block: bytes, at: int, line: int, byte: int, shown: str) -> Encoding:
    """Return the encoding of text with a byte that UTF-8 does not allow, unless it has letters of UTF-8 as well."""
    if LETTER_OF_UTF8.search(block):
        raise ValueError(mixture(shown, line, byte, block[at]))
    why = f"by the byte 0x{block[at]:02X} in line {line}, which UTF-8 does not allow"
    return Encoding("latin-1" if NOT_IN_CP1252.search(block) else "cp1252", why)


def mixture(shown: str, line: int, byte: int, value: int) -> str:
    """Return the message for text in two encodings."""
    return (
        f"{shown} mixes two encodings: line {line} holds the byte 0x{value:02X} (byte {byte:,} of the file), which "
        "UTF-8 does not allow, and other lines hold letters in UTF-8; write the file in one encoding, or give "
        "encoding='latin-1' to take every byte for a letter"
    )
