"""Tensors of a published file, by name: safetensors, or a state dict of PyTorch without code."""

from __future__ import annotations

import pickle
from pathlib import Path
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vistune.errors import InputError
from vistune.model.weights.numbers import check_finite


def read_tensors(path: str) -> dict[str, Tensor]:
    """All tensors of `path` (`.safetensors`, or a state dict written by `torch.save`). Raises `InputError` for others, and for
    numbers that are not finite."""
    try:
        if Path(path).suffix == ".safetensors":
            stored: dict[str, Tensor] = load_file(path)
            check_finite(stored, path)
            return stored
        # `weights_only` unpickles tensors and plain containers and runs no code that a file brings along.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError, BadZipFile, ValueError) as error:
        raise InputError(f"{path} cannot be read as weights: {' '.join(str(error).split())[:200]}") from error
    # Training scripts of LAVIS and others put the state dict under `model`, beside optimizer and epoch.
    tensors = found.get("model", found) if isinstance(found, dict) else None
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise InputError(f"{path} holds no state dict, expected names with tensors")
    check_finite(tensors, path)
    return tensors
