"""Where prompt learning computes."""

from __future__ import annotations

import torch

from vistune.errors import InputError


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
