"""Which precision the processor is fast in, found without torch."""

from pathlib import Path
from typing import Literal

Precision = Literal["float32", "bfloat16"]
_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}  # x86 tiles, x86 vectors, arm64


def has_hardware_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether Linux lists a bfloat16 instruction set; False where it does not say (macOS among others)."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    for line in lines:
        name, _, values = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return not _FLAGS.isdisjoint(values.split())
    return False


def resolve_precision(wanted: str) -> Precision:
    """`auto`, `float32` or `bfloat16` as the precision to use; raises ValueError for anything else."""
    if wanted == "auto":
        return "bfloat16" if has_hardware_bfloat16() else "float32"
    if wanted == "float32":
        return "float32"
    if wanted == "bfloat16":
        return "bfloat16"
    raise ValueError(f"precision {wanted!r} is not known: use auto, float32 or bfloat16")
