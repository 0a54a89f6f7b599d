"""The IDX format of MNIST: a header of big-endian sizes, then the numbers.

A file begins with two zero bytes, one byte for the type of the numbers and one for the number of axes D. D sizes of
four bytes each follow, then the numbers in C order, the last axis varying fastest. Such files are usually compressed
with gzip.
"""

import gzip
import math
import zlib

import numpy as np
from numpy.typing import NDArray

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The number type that each type byte stands for."""
GZIP_MAGIC = b"\x1f\x8b"
"""The first bytes of every gzip file."""


def decompressed(content: bytes, name: str) -> bytes:
    """Return the decompressed bytes of gzip data, or `content` itself if it is not gzip.

    Parameters
    ----------
    content : bytes
        A whole file. Its first two bytes, not its name, decide whether it is gzip.
    name : str
        The file's name in error messages.

    Raises
    ------
    ValueError
        If the gzip data are cut short or damaged.

    Examples
    --------
    >>> decompressed(gzip.compress(b"pixels"), "train.gz")
    b'pixels'
    >>> decompressed(b"pixels", "train")
    b'pixels'
    """
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except EOFError:
        raise ValueError(f"{name} is cut short: its gzip data end after {len(content)} bytes") from None
    except (OSError, zlib.error) as error:
        raise ValueError(f"{name} is damaged: its gzip data cannot be decompressed ({error})") from None


def read_idx(content: bytes, name: str = "the IDX data") -> NDArray:
    """Return the array that an IDX file holds.

    Parameters
    ----------
    content : bytes
        A whole, decompressed file.
    name : str
        The file's name in error messages.

    Returns
    -------
    ndarray
        A writable array of the shape and type the header gives, in the machine's own byte order.

    Raises
    ------
    ValueError
        If the header is not that of an IDX file, or does not fit the number of bytes.

    References
    ----------
    Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".

    Examples
    --------
    >>> header = bytes([0, 0, 0x08, 2]) + bytes([0, 0, 0, 2]) + bytes([0, 0, 0, 3])
    >>> read_idx(header + bytes(range(6)))
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise ValueError(
            f"{name} is not in the IDX format: it begins with the bytes {content[:4].hex(' ') or '(none)'}"
        )
    dtype, axes = np.dtype(TYPES[content[2]]), content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(
            f"{name} is cut short: a header of {axes} axes takes {start} bytes, it has {len(content)}; fetch it again"
        )
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", count=axes, offset=4))
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise ValueError(
            f"{name} has the wrong length: shape {shape} of {dtype.name} takes {expected} bytes, it has "
            f"{len(content)}; fetch it again"
        )
    # astype copies, so the array is writable and does not keep the header in memory.
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
