import hashlib
import json
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from isthmus.core.tensor_file import CHECKSUM, NAMES, ForeignFileError, TensorFileError, read, write

TENSORS = {f"of {name}": torch.ones(2, 3).to(dtype) for dtype, name in NAMES.items()}
TENSORS |= {"empty": torch.zeros(0, 5), "one": torch.tensor(2.5), "é.ü": torch.arange(7)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def written(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_what_is_written_comes_back(path):
    write(path, {"note": 'a "text"\n'}, TENSORS)
    texts, tensors = read(path)
    assert texts["note"] == 'a "text"\n'
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert all(tensors[name].dtype == tensor.dtype for name, tensor in TENSORS.items())


def test_safetensors_reads_it(path):
    write(path, {"note": "x"}, TENSORS)
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["note"] == "x"
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in TENSORS.items())


def test_it_reads_files_of_safetensors(path):
    save_file(TENSORS, path, metadata={"note": "x"})
    texts, tensors = read(path)
    assert texts == {"note": "x"}
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())


def test_views_are_written_as_they_look(path):
    tensors = {"turned": torch.arange(6).reshape(2, 3).T, "part": torch.arange(9)[2:8:2]}
    write(path, {}, tensors)
    assert all(torch.equal(read(path)[1][name], tensor) for name, tensor in tensors.items())


def test_a_change_of_any_bit_is_found(path):
    write(path, {"note": "x"}, {"a": torch.arange(5), "b": torch.ones(3, dtype=torch.bool)})
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 5):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            # A file whose key of the checksum is another word has none, which whoever expects one sees.
            try:
                assert CHECKSUM not in read(path)[0]
            except TensorFileError:
                continue


def test_the_checksum_is_where_the_page_on_the_format_says(path):
    write(path, {}, {"a": torch.arange(5)})
    whole = path.read_bytes()
    assert hashlib.sha256(whole[:35] + b"0" * 64 + whole[99:]).hexdigest().encode() == whole[35:99]


def test_every_length_but_the_whole_is_refused(path):
    write(path, {}, {"a": torch.arange(5)})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ForeignFileError):
            read(path)


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry(shape=[3])},
        {"a": entry(shape=[10**18])},
        {"a": entry(shape=[-2])},
        {"a": entry(shape=[2.0])},
        {"a": entry(shape=[True, 2])},
        {"a": entry(shape=[1] * 9 + [2])},
        {"a": entry(shape=[0, 10**18], offsets=[0, 0]), "b": entry()},
        {"a": entry(offsets=[8, 0])},
        {"a": entry(offsets=[-8, 0])},
        {"a": entry(offsets=[0])},
        {"a": entry("F31")},
        {"a": entry(), "b": entry()},
        {"a": entry(shape=[1], offsets=[4, 8])},
        {"a": {**entry(), "more": 1}},
        {"a": 3},
        {"a": entry(shape="2")},
        {"a": entry(), "__metadata__": {"x": 1}},
        {"a": entry(), "__metadata__": [1]},
        [],
        b"{" * 1000,
        b'{"a":"\xff"}',
    ],
)
def test_headers_that_lie(path, header):
    with pytest.raises(TensorFileError):
        read(written(path, header, b"\0" * 8))


@pytest.mark.parametrize("size", [0, 2, 2**31, 2**62, 2**64 - 1])
def test_lies_about_the_length_of_the_header(path, size):
    path.write_bytes(struct.pack("<Q", size) + b"{}")
    if size == 2:
        assert read(path) == ({}, {})
        return
    with pytest.raises(ForeignFileError):
        read(path)


def test_a_million_tensors_without_numbers(path):
    header = b"{" + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(100_000))
    with pytest.raises(TensorFileError, match=r"more than .* values"):
        read(written(path, header + b"}"))


def test_truth_values_that_are_neither(path):
    with pytest.raises(TensorFileError, match="neither 0 nor 1"):
        read(written(path, {"a": entry("BOOL", [1], [0, 1])}, b"\2"))


def test_number_types_that_files_do_not_hold(path):
    with pytest.raises(TypeError, match="complex64"):
        write(path, {}, {"a": torch.zeros(1, dtype=torch.complex64)})
