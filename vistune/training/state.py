"""What a stage needs to continue exactly where it stopped: weights, optimizer, random state and the step.

States are folders named by step that appear by one rename, so that a run killed at any instant finds its last whole one.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from vistune.errors import InputError
from vistune.model.checkpoint import WEIGHTS, fill, part_weights

_KEPT = 2


def save_state(folder: Path, step: int, model: torch.nn.Module, parts: set[str], optimizer: torch.optim.Optimizer) -> None:
    """Write `folder/STEP` and remove all but the last two."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{step:08d}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    save_file(part_weights(model, parts), temporary / WEIGHTS)
    rng: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        rng["cuda"] = torch.cuda.get_rng_state_all()
    torch.save({"step": step, "optimizer": optimizer.state_dict(), "rng": rng}, temporary / "training.pt")
    final = folder / f"{step:08d}"
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    for old in _states(folder)[:-_KEPT]:
        shutil.rmtree(old)


def load_state(folder: Path, model: torch.nn.Module, parts: set[str], optimizer: torch.optim.Optimizer) -> int:
    """Restore the last whole state, if there is one, and return the step it was taken after (0: none)."""
    states = _states(folder)
    if not states:
        return 0
    file = states[-1] / "training.pt"
    try:
        state = torch.load(file, weights_only=True)
    except Exception as error:
        raise InputError(f"{file} cannot be read ({error}): remove {states[-1]} to resume from the state before it") from error
    fill(model, states[-1] / WEIGHTS, parts)
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"]["cpu"])
    if torch.cuda.is_available() and "cuda" in state["rng"]:
        torch.cuda.set_rng_state_all(state["rng"]["cuda"])
    return int(state["step"])


def _states(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []
