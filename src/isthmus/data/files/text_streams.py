"""Text as a stream of UTF-8, in which every byte was checked."""

import codecs
import io
from typing import IO, Any

from isthmus.data.files.encodings import LETTER_OF_UTF8, Encoding, mixture


class Utf8Stream(io.RawIOBase):
    """A text in any encoding as UTF-8.

    Parameters
    ----------
    file
        The bytes.
    encoding
        Theirs.
    shown
        What messages call the file.
    bare_returns
        Whether lines end with a carriage return alone, which becomes a line feed.

    Raises
    ------
    ValueError
        While it is read: for bytes that the encoding does not allow, and for zero bytes; line and byte are told.
    """

    def __init__(self, file: IO[bytes], encoding: Encoding, shown: str, bare_returns: bool = False) -> None:
        self.file = file
        self.encoding = encoding
        self.shown = shown
        self.bare_returns = bare_returns
        self.decoder = codecs.getincrementaldecoder(encoding.name)()
        self.position = 0
        self.lines = 0
        self.waiting = b""
        self.ended = False

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; return how many bytes there were, 0 at the end."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`; all if that is negative."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while not self.waiting and not self.ended:
            self.waiting = self.decoded(self.file.read(size))
        found, self.waiting = self.waiting[:size], self.waiting[size:]
        return found

    def decoded(self, block: bytes) -> bytes:
        """Return a block of the file as UTF-8."""
        self.ended = not block
        try:
            plain = self.encoding.name in ("utf-8", "ascii") and block.isascii() and not self.decoder.getstate()[0]
            text = block if plain else self.decoder.decode(block, final=self.ended).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ValueError(self.not_allowed(error, block)) from error
        except UnicodeError as error:  # no byte order mark
            raise ValueError(f"{self.shown} is not {self.encoding.name}: {error}; give another encoding") from error
        if b"\0" in text:
            raise ValueError(self.zero_byte(text))
        if self.encoding.name in ("cp1252", "latin-1") and not self.encoding.given and LETTER_OF_UTF8.search(block):
            at = LETTER_OF_UTF8.search(block)
            assert at is not None, "it was just found"
            line, byte = self.lines + 1 + block[: at.start()].count(b"\n"), self.position + at.start()
            raise ValueError(mixture(self.shown, line, byte, block[at.start()]))
        self.position += len(block)
        self.lines += text.count(b"\n")
        return text.replace(b"\r", b"\n") if self.bare_returns else text

    def not_allowed(self, error: UnicodeDecodeError, block: bytes) -> str:
        """Return the message for bytes that the encoding does not allow."""
        kept = len(error.object) - len(block)  # bytes that wait in the decoder for the rest of a letter
        at = max(error.start - kept, 0)
        line = self.lines + 1 + block[:at].count(b"\n")
        value = error.object[error.start]
        if not self.encoding.given and self.encoding.name.startswith("utf-8"):
            return mixture(self.shown, line, self.position + at, value)
        return (
            f"{self.shown} is not all {self.encoding.name}: line {line} holds the byte 0x{value:02X} (byte "
            f"{self.position + at:,} of the file), which it does not allow; write the file in one encoding, or give "
            "the right one, such as encoding='cp1252'"
        )

    def zero_byte(self, text: bytes) -> str:
        """Return the message for a zero byte."""
        at = text.index(b"\0")
        line = self.lines + 1 + text[:at].count(b"\n")
        return (
            f"{self.shown} holds a zero byte (NUL) in line {line}, which no text does: the file is damaged or binary, "
            "or in an encoding of two bytes per letter; give encoding='utf-16', or remove it (tr -d '\\000')"
        )

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()
