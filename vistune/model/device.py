"""Where a model computes, and in which number format."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

import torch
from torch import nn

from vistune.errors import InputError

Dtype: TypeAlias = Literal["float32", "bfloat16", "float16"]
Module = TypeVar("Module", bound=nn.Module)
DTYPES = ("float32", "bfloat16", "float16")


def chosen_device(name: str) -> torch.device:
    """`auto` is the first GPU where there is one, else the CPU. Raises `InputError` for a device that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"--device {name!r} is no device: use auto, cpu, cuda, cuda:1 or mps") from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise InputError(f"--device {name!r} is not available here: use auto or cpu")
    return device


def chosen_dtype(name: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 on a GPU that computes in it, else float32. Raises `InputError` for an unknown format."""
    if name == "auto":
        half = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if half else torch.float32
    if name not in DTYPES:
        raise InputError(f"--dtype {name!r}: expected auto, {', '.join(DTYPES)}")
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def placed(model: Module, device: str = "auto", dtype: str = "auto") -> Module:
    """The model on a device, its weights in a number format; what is quantised or counted keeps its own."""
    there = chosen_device(device)
    wanted = chosen_dtype(dtype, there)
    model.to(there)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.to(wanted)
    return model


def number_format(model: nn.Module) -> str:
    """What tells answers of a model in another number format apart: `+bfloat16`, nothing for float32."""
    dtype = next(tensor.dtype for tensor in model.parameters() if tensor.is_floating_point())
    return "" if dtype == torch.float32 else f"+{str(dtype).removeprefix('torch.')}"
