"""A model card that the command writes itself: what was taught, on what data, for how long, with what scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from vistune.files import atomic_open
from vistune.pretrain.loop import LOG

HASHED = 100  # samples whose arrays make the data's hash


def data_hash(arrays: Iterable[NDArray[Any]]) -> str:
    """SHA-256 of the first hundred arrays, in order."""
    digest = hashlib.sha256()
    for _, array in zip(range(HASHED), arrays, strict=False):
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_card(
    folder: Path, out: Path, command: str, model: nn.Module, arrays: Iterable[NDArray[Any]], scores: dict[str, float]
) -> None:
    """Write `README.md` into the model's `folder`; how long it took and how many steps stand in the log of `out`."""
    last = json.loads((out / LOG).read_text(encoding="utf-8").splitlines()[-1])
    rows = {
        "command": f"`{command}`",
        "licence": "Apache-2.0",
        "parameters": f"{sum(parameter.numel() for parameter in model.parameters()):,}",
        "steps": str(last["step"]),
        "time": f"{last['seconds'] / 60:.0f} minutes with {torch.get_num_threads()} thread(s), torch {torch.__version__}",
        "SHA-256 of the first hundred training samples": f"`{data_hash(arrays)}`",
        "validation": ", ".join(f"{name} {value:.4f}" for name, value in scores.items()),
    }
    lines = [f"# {folder.name}", "", "Taught from nothing on the embedded data set.", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    with atomic_open(folder / "README.md") as file:
        file.write("\n".join(lines) + "\n")
