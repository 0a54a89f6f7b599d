import gzip

import numpy as np
import pytest

from isthmus.data.idx import decompressed, read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (0, 28, 28), (2, 3, 4)])
def test_array_comes_back_in_native_byte_order(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    read = read_idx(idx(array))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable


@pytest.mark.parametrize(
    "start", [b"", b"\0\0\x08", b"\x89PNG....", b"\0\0\x07\x01\0\0\0\0", b"<html>not found</html>"]
)
def test_other_format_is_named(start):
    with pytest.raises(ValueError, match=r"labels is not in the IDX format: it begins with the bytes "):
        read_idx(start, "labels")


def test_header_cut_short():
    with pytest.raises(ValueError, match=r"images is cut short: a header of 3 axes takes 16 bytes, it has 9"):
        read_idx(idx(np.zeros((2, 3, 4), np.uint8))[:9], "images")


@pytest.mark.parametrize("change", [-1, 1])
def test_wrong_length_gives_both_lengths(change):
    content = idx(np.zeros((2, 3), np.int32)) + b"\0"
    with pytest.raises(ValueError, match=rf"shape \(2, 3\) of int32 takes 36 bytes, it has {36 + change}"):
        read_idx(content[: 36 + change])


def test_sizes_whose_product_overflows_are_a_wrong_length():
    header = bytes([0, 0, 0x08, 4]) + b"\xff\xff\xff\xff" * 4
    with pytest.raises(ValueError, match="wrong length"):
        read_idx(header)


def test_gzip_is_known_by_its_content():
    assert decompressed(gzip.compress(b"pixels"), "x") == b"pixels"
    assert decompressed(b"pixels", "x.gz") == b"pixels"
    assert decompressed(b"", "x.gz") == b""


@pytest.mark.parametrize("length", [2, 5, 10, 15, -9, -8, -1])
def test_gzip_cut_short(length):
    with pytest.raises(ValueError, match=r"^x\.gz is cut short"):
        decompressed(gzip.compress(bytes(range(256)))[:length], "x.gz")


@pytest.mark.parametrize("place", [2, 12, 60, -6, -1])
def test_gzip_damaged(place):
    content = bytearray(gzip.compress(bytes(range(256)) * 4, mtime=0))
    content[place] ^= 0xFF
    with pytest.raises(ValueError, match=r"^x\.gz is (damaged|cut short)"):
        decompressed(bytes(content), "x.gz")


def test_something_after_the_gzip_data():
    with pytest.raises(ValueError, match=r"^x\.gz is damaged"):
        decompressed(gzip.compress(b"pixels") + b"more", "x.gz")
