"""Weights are numbers: floats where floats belong, and none of them NaN or infinite. What is not is refused by its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from vistune.errors import InputError

_WHOLE = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64")  # of safetensors' number formats
_PLACES = "position_ids"  # that older versions of `transformers` stored beside the weights


def check_finite(weights: Mapping[str, Tensor], where: str | Path) -> None:
    """Raise `InputError` for the first tensor that holds a NaN or an infinity."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        # The two ends, NaN before either: as cheap as reading, where `isfinite` makes a tensor as large.
        ends = torch.aminmax(tensor if tensor.element_size() > 1 else tensor.float())
        if not math.isfinite(ends.min) or not math.isfinite(ends.max):
            bad = int((~torch.isfinite(tensor.float())).sum())
            raise InputError(f"{where}: {bad} of the {tensor.numel()} weights in {name!r} are NaN or infinite: it is no model")


def check_kinds(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: str | Path) -> None:
    """Raise `InputError` for whole numbers where `expected`, the model's own tensor, holds floats, and the other way round."""
    for name, tensor in weights.items():
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise InputError(f"{where}: {name} holds {_said(tensor.dtype)}, the model's holds {_said(expected[name].dtype)}")


def check_foreign(weights: Mapping[str, Tensor], where: str | Path) -> None:
    """Raise `InputError` for a tensor of another software's that is no float, or not finite."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point() and not name.endswith(_PLACES):
            raise InputError(f"{where}: {name} holds {_said(tensor.dtype)}, expected floats")
    check_finite(weights, where)


def check_backbone(model: Any, path: str, folder: str) -> None:
    """Check what `transformers` read from `folder`, the user's `path`: it turns whole numbers into floats unasked."""
    held = model.state_dict()
    floats = [name for name, tensor in held.items() if tensor.is_floating_point()]
    for file in sorted(Path(folder).glob("*.safetensors")):
        with safe_open(file, "pt") as stored:
            whole = [name for name in stored.keys() if stored.get_slice(name).get_dtype() in _WHOLE]  # noqa: SIM118 - no dict
        for name in whole:
            # Files store names with or without the prefix of the outer model, so ends are compared.
            if any(name == other or name.endswith(f".{other}") or other.endswith(f".{name}") for other in floats):
                raise InputError(f"the weights of {path} cannot be read: {name} in {file.name} holds whole numbers")
    check_finite(held, path)


def _said(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
