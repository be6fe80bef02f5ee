"""In which number format the forward pass runs: bf16 where the processor computes in it, fp32 elsewhere; weights stay fp32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, TypeAlias

import torch

Precision: TypeAlias = Literal["auto", "fp32", "bf16"]

_CPU_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")


def resolve(precision: Precision, device: torch.device) -> Literal["fp32", "bf16"]:
    """What `auto` means on this device."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if _cpu_computes_bf16() else "fp32"


def autocast(precision: Literal["fp32", "bf16"], device: torch.device) -> AbstractContextManager[None]:
    """The context a forward pass runs in."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _cpu_computes_bf16() -> bool:
    """Emulated bf16 is several times slower than fp32, so the processor's own flags decide."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return False
    # `flags` on x86, `Features` on ARM.
    flags = next((line for line in cpuinfo.read_text().splitlines() if line.startswith(("flags", "Features"))), "")
    return any(flag in flags.split() for flag in _CPU_FLAGS)
