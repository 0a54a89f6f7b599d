"""Files of tensors and text that are read without trust: a safetensors file with a checksum over every byte.

The layout is that of safetensors: eight bytes with the length N of the header, N bytes of JSON, then the bytes of the
tensors. `docs/format.md` describes it. Everything is compared with the length of the file before it is read.
"""

import hashlib
import json
import math
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor

from isthmus.core.bounded_json import most_values, parsed
from isthmus.core.json_type import Json

METADATA = "__metadata__"
"""The key of the header under which texts stand, not a tensor."""
CHECKSUM, DIGITS = "sha256", 64
"""The key of the checksum, and the hexadecimal digits it has."""
BEGINNING = f'{{"{METADATA}":{{"{CHECKSUM}":"'.encode()
"""What the header of a file with a checksum begins with; the digits follow."""
LENGTH = struct.Struct("<Q")
PLACE = LENGTH.size + len(BEGINNING)
"""Where in the file the digits begin."""
MOST_DIMENSIONS = 8
ALIGNED = 8
"""The tensors begin at a multiple of so many bytes."""
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
"""Number types by their names in the header."""
NAMES = {dtype: name for name, dtype in TYPES.items()}


class TensorFileError(ValueError):
    """A file is not whole, or is of another kind; the message says what is wrong, not in which file."""


class ForeignFileError(TensorFileError):
    """A file does not begin as one with a header that fits it."""


class Stored(NamedTuple):
    """Where a tensor lies in a file."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


def write(path: Path, texts: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    """Write texts and tensors to a file, with a checksum.

    Raises
    ------
    OSError
        If it cannot be written.
    TypeError
        If a tensor is of a number type that files do not hold.
    """
    # Wide types first, so that each begins at a multiple of its own width.
    ordered = sorted(tensors.items(), key=lambda pair: (-pair[1].element_size(), pair[0]))
    header: dict[str, Json] = {METADATA: {CHECKSUM: "0" * DIGITS, **texts}}
    end = 0
    for name, tensor in ordered:
        if tensor.dtype not in NAMES:
            raise TypeError(f"the tensor {name!r} has the number type {tensor.dtype}, which model files do not hold")
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for piece in (LENGTH.pack(len(text)), text):
            digest.update(piece)
            file.write(piece)
        for _, tensor in ordered:
            content = bytes_of(tensor)
            digest.update(content)
            file.write(content)
        file.seek(PLACE)
        file.write(digest.hexdigest().encode())


def bytes_of(tensor: Tensor) -> memoryview:
    """Return the bytes of a tensor, row by row, little endian."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return memory_of(flat.view(torch.uint8)) if flat.numel() else memoryview(b"")


def memory_of(raw: Tensor) -> memoryview:
    """Return the memory of bytes, (n,) uint8."""
    # numpy's arrays are buffers, which their types do not say.
    return memoryview(cast(bytearray, raw.numpy()))


def read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return the texts and the tensors of a file; the checksum, if it has one, holds.

    At most the length of the file is allocated for tensors, and nothing before the header was found to fit the file.

    Raises
    ------
    ForeignFileError
        If it is truncated, or no file of tensors.
    TensorFileError
        If it is damaged.
    OSError
        If it cannot be read.
    """
    with open(path, "rb", opener=without_waiting) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise TensorFileError("it is no file that holds data, but a folder, a pipe or a device")
        return read_open(file, found.st_size)


def without_waiting(path: str, flags: int) -> int:
    """Open a file; of a pipe to which nobody writes, do not wait for somebody who does."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def read_open(file: BufferedReader, length: int) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return the texts and tensors of an open file of that many bytes."""
    start = file.read(LENGTH.size)
    size = LENGTH.unpack(start)[0] if len(start) == LENGTH.size else length
    if not 0 < size <= length - LENGTH.size:
        raise ForeignFileError("it has no header that fits into it")
    text = file.read(size)
    if len(text) < size or text[:1] != b"{":
        raise ForeignFileError("it has no header that fits into it")
    texts, stored = understood(text, length - LENGTH.size - size, length)
    digest = hashlib.sha256(start)
    given, blank = taken_out(text)
    digest.update(blank)
    if texts.get(CHECKSUM) != given:
        raise TensorFileError("its checksum does not stand at the beginning of its header")
    tensors = {}
    for tensor, raw in filled(file, stored):
        digest.update(memory_of(raw))
        tensors[tensor.name] = numbers_of(tensor, raw)
    if given is not None and digest.hexdigest() != given:
        raise TensorFileError("its checksum does not hold: it was changed or damaged after it was written")
    return texts, tensors


def taken_out(text: bytes) -> tuple[str | None, bytes]:
    """Return the checksum of a header, None if it has none, and the header with zeros in its place."""
    if not text.startswith(BEGINNING):
        return None, text
    end = len(BEGINNING) + DIGITS
    return text[len(BEGINNING) : end].decode("latin-1"), BEGINNING + b"0" * DIGITS + text[end:]


def understood(text: bytes, room: int, length: int) -> tuple[dict[str, str], list[Stored]]:
    """Return the texts of a header, and where the tensors lie in the bytes that follow, of which there are `room`."""
    try:
        header = parsed(text.decode(), most_values(length))
    except ValueError as error:
        raise TensorFileError(f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise TensorFileError("its header is no JSON object")
    texts = header.pop(METADATA, {})
    if not isinstance(texts, dict):
        raise TensorFileError("its texts are no JSON object")
    named = {name: value for name, value in texts.items() if isinstance(value, str)}
    if len(named) < len(texts):
        raise TensorFileError("it holds values that are no texts among its texts")
    stored = sorted((place_of(name, entry, room) for name, entry in header.items()), key=lambda one: one[3:])
    at = 0
    for tensor in stored:
        if tensor.begin != at:
            raise TensorFileError(f"the tensor {tensor.name!r} does not begin where the one before it ends")
        at = tensor.end
    if at != room:
        raise ForeignFileError("its tensors do not end where it ends")
    return named, stored


def place_of(name: str, entry: Json, room: int) -> Stored:
    """Return where a tensor lies, as the header says; raise a `TensorFileError` if it cannot lie there."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise TensorFileError(f"of the tensor {name!r} it says something else than type, shape and place")
    kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise TensorFileError(f"the tensor {name!r} has the unknown number type {kind!r}")
    if isinstance(place, list) and any(type(end) is int and end > room for end in place):
        raise ForeignFileError("it ends before its tensors end")
    sizes, ends = sizes_of(shape, room), sizes_of(place, room)
    if sizes is None or ends is None or len(ends) != 2 or len(sizes) > MOST_DIMENSIONS:
        raise TensorFileError(f"the tensor {name!r} has the impossible shape {shape!r} or place {place!r}")
    dtype = TYPES[kind]
    if math.prod(sizes) * dtype.itemsize != ends[1] - ends[0]:
        raise TensorFileError(f"the shape {shape!r} of the tensor {name!r} does not fit its place {place!r}")
    return Stored(name, dtype, sizes, *ends)


def sizes_of(value: Json, most: int) -> tuple[int, ...] | None:
    """Return whole numbers from 0 to `most`; None if there is another value."""
    if not isinstance(value, list):
        return None
    sizes = [size for size in value if type(size) is int and 0 <= size <= max(most, 1)]
    return tuple(sizes) if len(sizes) == len(value) else None


def filled(file: BufferedReader, stored: list[Stored]) -> Iterator[tuple[Stored, Tensor]]:
    """Yield every tensor with its bytes, (bytes,) uint8, read one after another."""
    for tensor in stored:
        raw = torch.empty(tensor.end - tensor.begin, dtype=torch.uint8, device="cpu")
        if len(raw) and file.readinto(memory_of(raw)) != len(raw):
            raise ForeignFileError("it ends before its tensors end")
        yield tensor, raw


def numbers_of(tensor: Stored, raw: Tensor) -> Tensor:
    """Return the tensor of these bytes, in the same memory."""
    if not len(raw):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
    if tensor.dtype == torch.bool and bool((raw > 1).any()):
        raise TensorFileError(f"the tensor {tensor.name!r} holds truth values that are neither 0 nor 1")
    return raw.view(tensor.dtype).reshape(tensor.shape)
