"""PNG files of pixels, written without a library for images."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2
"""PNG's numbers for pixels of one and of three channels."""


def png_of(pixels: np.ndarray) -> bytes:
    """Return pixels from 0, black, to 1 as the content of a PNG file with 256 levels per channel.

    Parameters
    ----------
    pixels
        (height, width) grey levels, or (height, width, 3) of red, green and blue. Values outside [0, 1] are cut.

    Examples
    --------
    >>> png_of(np.zeros((2, 2)))[1:4]
    b'PNG'
    """
    levels = np.round(255 * np.clip(np.nan_to_num(pixels), 0, 1)).astype(np.uint8)
    height, width = levels.shape[:2]
    kind = GREY if levels.ndim == 2 else COLOUR
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    # Each line begins with the number of its filter; 0 is none.
    lines = np.concatenate([np.zeros((height, 1), dtype=np.uint8), levels.reshape(height, -1)], axis=1)
    data = zlib.compress(lines.tobytes(), 9)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file: its length, name, content and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
