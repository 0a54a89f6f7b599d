import pytest
import torch

from isthmus.engine.fast import processor


@pytest.fixture
def cpuinfo(monkeypatch, tmp_path):
    """Pretend that the system tells this of its first processor."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "CPUINFO", path)
    processor.told.cache_clear()
    yield path.write_text
    processor.told.cache_clear()


@pytest.mark.parametrize(
    ("maker", "flags", "bfloat16", "zen_5"),
    [
        ("AuthenticAMD", "avx512f avx512_bf16", True, False),
        ("AuthenticAMD", "avx512f avx512_bf16 avx512_vp2intersect", True, True),
        ("GenuineIntel", "avx512f avx512_vp2intersect", False, False),
        ("GenuineIntel", "amx_bf16", True, False),
    ],
)
def test_what_a_processor_tells(cpuinfo, maker, flags, bfloat16, zen_5):
    cpuinfo(f"processor : 0\nvendor_id\t: {maker}\nflags\t\t: fpu {flags}\n\nprocessor : 1\nvendor_id : other\n")
    assert processor.multiplies_bfloat16(torch.device("cpu")) == bfloat16
    assert processor.is_zen_5() == zen_5


@pytest.mark.usefixtures("cpuinfo")
def test_a_system_that_tells_nothing():
    assert not processor.multiplies_bfloat16(torch.device("cpu"))
    assert not processor.is_zen_5()
