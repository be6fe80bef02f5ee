"""How many operations a second a device can do at most: what utilisation is measured against."""

from __future__ import annotations

import re
import time
from functools import cache
from typing import Literal

import torch

# Dense bf16 with accumulation in fp32, in TFLOP/s, from the makers' data sheets; the first name that fits counts.
_BF16: tuple[tuple[str, float], ...] = (
    (r"B200", 2250),
    (r"H200", 989),
    (r"GH200", 989),
    (r"H100 PCIe", 756),
    (r"H100 NVL", 835),
    (r"H100", 989),
    (r"H800", 989),
    (r"A100", 312),
    (r"A800", 312),
    (r"A40", 149.7),
    (r"A30", 165),
    (r"A10", 125),
    (r"L40S", 362),
    (r"L40", 181),
    (r"L4", 121),
    (r"RTX A6000", 154.8),
    (r"RTX 5090", 209.5),
    (r"RTX 4090", 165.2),
    (r"RTX 3090", 71),
    (r"MI250X", 383),
    (r"MI300X", 1307),
)
# Memory in GiB, from the same sheets; the first name that fits counts, and of two sizes the smaller.
_MEMORY: tuple[tuple[str, float], ...] = (
    (r"B200", 180),
    (r"GH200", 96),
    (r"H200", 141),
    (r"H100 NVL", 94),
    (r"H100", 80),
    (r"H800", 80),
    (r"A100.*40(?:GB)?", 40),
    (r"A100", 80),
    (r"A800", 80),
    (r"A40", 48),
    (r"A30", 24),
    (r"A10", 24),
    (r"L40S?", 48),
    (r"L4", 24),
    (r"RTX A6000", 48),
    (r"RTX 5090", 32),
    (r"RTX 4090", 24),
    (r"RTX 3090", 24),
    (r"MI250X", 128),
    (r"MI300X", 192),
)
SPARE = 1.15
"""What allocator, buffers and kernels take beside what is counted: a tenth to a fifth more."""
_SIDE = 768  # of the matrices that are multiplied to measure a processor


def published(name: str) -> float | None:
    """Dense bf16 operations a second of a graphics processor by the name its driver gives; None for one not in the table."""
    for word, peak in _BF16:
        if re.search(rf"\b{word}\b", name):
            return peak * 1e12
    return None


def capacity(name: str) -> float | None:
    """Bytes of memory of a graphics processor by its name; None for one not in the table."""
    for word, gib in _MEMORY:
        if re.search(rf"\b{word}\b", name):
            return gib * 2**30
    return None


def known() -> list[str]:
    """The names that the tables know."""
    return [word.replace("\\", "") for word, _ in _BF16]


@cache
def measured(precision: Literal["fp32", "bf16"]) -> float:
    """Operations a second of the best of several matrix products on this processor, with the threads torch may use now."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    # Measured once a process: numbers drawn from torch's own generator would shift the dropout of the first run in it alone.
    chance = torch.Generator().manual_seed(0)
    left, right = (torch.randn(_SIDE, _SIDE, generator=chance).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(6):
        began = time.perf_counter()
        left @ right
        # The best, not the mean: other work on the machine can only make a product slower.
        best = min(best, time.perf_counter() - began)
    return 2 * _SIDE**3 / best


def peak(device: torch.device, precision: Literal["fp32", "bf16"]) -> float | None:
    """The peak of a device in this precision; None where it is not known."""
    if device.type == "cpu":
        return measured(precision)
    if device.type == "cuda" and precision == "bf16":
        return published(torch.cuda.get_device_name(device))
    return None
