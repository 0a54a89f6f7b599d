"""Seeded mutations of model files: of their bytes, of their JSON by type, and of their tensors."""

import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

DIGITS = 64
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FORMATS = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "u1"}
WHOLE = [0, 1, -1, 2, 3, 7, 100, 10**4, 10**9, 2**31, 2**63 - 1, 2**63, 10**30]
BROKEN = [0.0, -1.0, 0.5, 1e-300, 1e300, -1e308, 1e-9, 123.456]
TEXTS = [
    "",
    "x",
    "auto",
    "none",
    "relu",
    "gaussian",
    "float32",
    "complex64",
    "category",
    "\u0000",
    "é",
    "x" * 3000,
    "0",
    "nan",
    "%s",
    "../x",
]
OTHERS: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"part": "L1", "parameters": {}},
    {"pairs": []},
    {"pairs": [[1]]},
    *WHOLE[:4],
    *BROKEN[:3],
    *TEXTS[:5],
]

Mutation = Callable[[bytes, np.random.Generator], bytes]


class Opened:
    """A model file taken apart; `closed` puts it together."""

    def __init__(self, content: bytes) -> None:
        (size,) = struct.unpack("<Q", content[:8])
        self.header = json.loads(content[8 : 8 + size])
        self.texts = self.header.pop("__metadata__")
        self.inner = json.loads(self.texts["isthmus"])
        data = content[8 + size :]
        self.tensors = {}
        for name, entry in self.header.items():
            begin, end = entry["data_offsets"]
            self.tensors[name] = [entry["dtype"], list(entry["shape"]), data[begin:end]]

    def closed(self, inner: str | None = None) -> bytes:
        """Return the bytes of the file."""
        texts = self.texts | {"isthmus": json.dumps(self.inner) if inner is None else inner}
        header, end = {"__metadata__": texts}, 0
        for name, (kind, shape, raw) in self.tensors.items():
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + len(raw)]}
            end += len(raw)
        return joined(json.dumps(header, separators=(",", ":")), b"".join(raw for _, _, raw in self.tensors.values()))


def joined(header: str, data: bytes) -> bytes:
    """Return the bytes of a file with this header."""
    text = header.encode(errors="surrogatepass")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def signed(content: bytes) -> bytes:
    """Return a file with the checksum that it should have; as it is if it has no place for one."""
    begin = content.find(b'"sha256":"') + 10
    if begin < 10 or len(content) < begin + DIGITS:
        return content
    blank = content[:begin] + b"0" * DIGITS + content[begin + DIGITS :]
    return content[:begin] + hashlib.sha256(blank).hexdigest().encode() + content[begin + DIGITS :]


# -- bytes ------------------------------------------------------------------------------------------------------------


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(content)
    for place in rng.integers(0, 8 * len(content), rng.choice([1, 1, 1, 2, 8])):
        changed[place // 8] ^= 1 << (place % 8)
    return bytes(changed)


def flipped_in_header(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip a bit of the header."""
    changed = bytearray(content)
    (size,) = struct.unpack("<Q", content[:8])
    changed[rng.integers(0, 8 + size)] ^= 1 << rng.integers(8)
    return bytes(changed)


def truncated(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut the end off."""
    return content[: rng.integers(0, len(content))]


def spliced(content: bytes, rng: np.random.Generator) -> bytes:
    """Write one stretch over another."""
    size = int(rng.integers(1, 200))
    here, there = rng.integers(0, max(len(content) - size, 1), 2)
    return content[:there] + content[here : here + size] + content[there + size :]


def inserted(content: bytes, rng: np.random.Generator) -> bytes:
    """Put some bytes in, or take some out."""
    place, size = int(rng.integers(0, len(content))), int(rng.integers(1, 40))
    return (
        content[:place] + rng.bytes(size) + content[place:]
        if rng.random() < 0.5
        else content[:place] + content[place + size :]
    )


def header_length(content: bytes, rng: np.random.Generator) -> bytes:
    """Lie about the length of the header."""
    (size,) = struct.unpack("<Q", content[:8])
    lie = int(rng.choice([0, 1, size - 1, size + 1, size + 8, len(content), 2**31, 2**62]))
    return struct.pack("<Q", lie) + content[8:]


# -- JSON -------------------------------------------------------------------------------------------------------------


def places(value: Any, inside: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        inside.append((value, key))
        places(entry, inside)
    return inside


def drawn(rng: np.random.Generator, values: list[Any]) -> Any:
    """Return one of the values."""
    return values[int(rng.integers(len(values)))]


def other(value: Any, rng: np.random.Generator) -> Any:
    """Return another value: of the same type, as a rule."""
    if rng.random() < 0.25:
        return drawn(rng, OTHERS)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return drawn(rng, [*WHOLE, value + 1, value - 1, value * 1000, -value])
    if isinstance(value, float):
        return drawn(rng, [*BROKEN, -value, value * 1e6, value + 1])
    if isinstance(value, str):
        return drawn(rng, [*TEXTS, value[:-1], value + "s", value.upper()])
    if isinstance(value, list):
        return drawn(rng, [value[:-1], value + value[:1], value[::-1], [*value, None], value * 50, [value]])
    if isinstance(value, dict):
        keys = list(value)
        return drawn(rng, [{}, {**value, "more": 1}, dict(zip(keys, [*value.values()][::-1], strict=True))])
    return drawn(rng, OTHERS)


def value_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Change one to three values of the JSON."""
    opened = Opened(content)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        container, key = drawn(rng, places(opened.inner, []))
        container[key] = other(container[key], rng)
    return opened.closed()


def key_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Take a key away, give it another name, or copy another value to it."""
    opened = Opened(content)
    found = places(opened.inner, [])
    container, key = drawn(rng, found)
    kind = rng.integers(3)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[key + "_"] = container.pop(key)
    else:
        source, at = drawn(rng, found)
        container[key] = json.loads(json.dumps(source[at]))
    return opened.closed()


def text_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Put in what JSON should not have: a key twice, NaN, many digits, deep nesting, half a character."""
    opened = Opened(content)
    text = json.dumps(opened.inner)
    cut = [place for place, letter in enumerate(text) if letter == ":"]
    place = drawn(rng, cut) + 1
    end = min([at for at in (text.find(",", place), text.find("}", place)) if at > 0], default=len(text))
    put = drawn(
        rng,
        [
            "NaN",
            "-Infinity",
            "1" * 5000,
            "1e999",
            "1" * 400 + ".5",
            "[" * 3000 + "]" * 3000,
            "[" * 200_000,
            '"\\ud800"',
            "{" * 50,
            '{"a":' * 500 + "1" + "}" * 500,
        ],
    )
    changed = text[:place] + put + text[end:]
    if rng.random() < 0.2:
        changed = text.replace("{", '{"schema":4,"schema":4,', 1)
    return opened.closed(changed)


def outer_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Change the table of tensors and leave the bytes."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    container, key = drawn(rng, places({k: v for k, v in header.items() if k != "__metadata__"}, []))
    container[key] = other(container[key], rng)
    return joined(json.dumps(header, separators=(",", ":")), content[8 + size :])


# -- tensors ----------------------------------------------------------------------------------------------------------


def numbers_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Write other numbers into a tensor."""
    opened = Opened(content)
    tensor = opened.tensors[drawn(rng, list(opened.tensors))]
    kind, raw = tensor[0], tensor[2]
    if kind not in FORMATS or not raw:
        return opened.closed()
    numbers = np.frombuffer(raw, FORMATS[kind]).copy()
    extreme = (
        [np.nan, np.inf, -np.inf, 0, -1, 1e30, -1e30] if kind[0] == "F" else [0, 1, -1, 2**31 - 1, -(2**31), 255, 7]
    )
    some = rng.random(len(numbers)) < rng.choice([0.1, 1.0])
    some[rng.integers(len(numbers))] = True
    with np.errstate(all="ignore"):
        numbers[some] = np.array(drawn(rng, extreme)).astype(numbers.dtype)
    tensor[2] = numbers.tobytes()
    return opened.closed()


def shape_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Give a tensor another shape, fewer or more rows, or another number type."""
    opened = Opened(content)
    tensor = opened.tensors[drawn(rng, list(opened.tensors))]
    kind, shape, raw = tensor
    way = rng.integers(5)
    if way == 0:
        tensor[1] = drawn(rng, [[1, *shape], [*shape, 1], shape[::-1], [len(raw) // SIZES[kind]]])
    elif way == 1 and shape and shape[0]:
        row = len(raw) // shape[0]
        tensor[1], tensor[2] = [shape[0] - 1, *shape[1:]], raw[: len(raw) - row]
    elif way == 2 and shape and shape[0]:
        row = len(raw) // shape[0]
        tensor[1], tensor[2] = [shape[0] + 1, *shape[1:]], raw + raw[:row]
    elif way == 3:
        tensor[1], tensor[2] = [0, *shape[1:]], b""
    else:
        count, new = len(raw) // SIZES[kind], drawn(rng, list(SIZES))
        tensor[0], tensor[2] = new, rng.integers(0, 2, count * SIZES[new], dtype=np.uint8).tobytes()
    return opened.closed()


def tensors_exchanged(content: bytes, rng: np.random.Generator) -> bytes:
    """Take a tensor away, copy one under another's name, or give it another name."""
    opened = Opened(content)
    names = list(opened.tensors)
    one, two, way = drawn(rng, names), drawn(rng, names), rng.integers(3)
    if way == 0:
        del opened.tensors[one]
    elif way == 1:
        opened.tensors[one] = list(opened.tensors[two])
    else:
        opened.tensors[one + ".more"] = opened.tensors.pop(one)
    return opened.closed()


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        flipped,
        flipped_in_header,
        truncated,
        spliced,
        inserted,
        header_length,
        value_changed,
        key_changed,
        text_changed,
        outer_changed,
        numbers_changed,
        shape_changed,
        tensors_exchanged,
    )
}
HOSTILE = ("value_changed", "value_changed", "value_changed", "key_changed", "numbers_changed", "shape_changed")
"""Mutations that are drawn more often where the checksum is computed anew: others rarely pass the reading."""


def mutated(content: bytes, rng: np.random.Generator, sign: bool) -> tuple[str, bytes]:
    """Return the name of a mutation, and the file after it; `sign` computes the checksum anew."""
    name = drawn(rng, [*MUTATIONS, *HOSTILE] if sign else list(MUTATIONS))
    changed = MUTATIONS[name](content, rng)
    return name, signed(changed) if sign else changed
