"""What a stage needs to continue exactly where it stopped: weights, optimizer, random state and the step.

States are folders named by step that appear by one rename, so that a run killed at any instant finds its last whole one. They
hold whole tensors whatever number of processes wrote them, and are read by any other number.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vistune.errors import InputError
from vistune.files import atomic_folder, sha256, writing
from vistune.model.weights.checkpoint import WEIGHTS, load_into, part_weights
from vistune.model.weights.sharding import shard_like, whole
from vistune.training.distributed import Ranks

_KEPT = 2
_KEYS = {"step", "of", "weights", "optimizer", "rng"}


def save_state(
    folder: Path, step: int, model: torch.nn.Module, parts: set[str], optimizer: torch.optim.Optimizer, ranks: Ranks, of: str
) -> None:
    """Write `folder/STEP` and remove all but the last two. Every process calls it, the first writes.

    `of` says what is trained how: a state goes on only under the same (`load_state`).
    """
    from safetensors.torch import save_file

    weights = part_weights(model, parts, keep=ranks.first)
    # Every rank takes part in gathering each tensor, in the order of the optimizer's entries, also those that write nothing.
    progress = _each_state(optimizer.state_dict(), lambda _, tensor: whole(tensor) if ranks.first else _dropped(tensor))
    if not ranks.first:
        return
    rng: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        rng["cuda"] = torch.cuda.get_rng_state()
    # By rename, so that a folder with a number is always whole; the two last ones are kept, should the newest be lost on the
    # disk.
    with atomic_folder(folder / f"{step:08d}") as temporary, writing(folder):
        save_file(weights, temporary / WEIGHTS)
        # The two files name each other by hash: half of one state beside half of another would resume without a word.
        held = {"step": step, "of": of, "weights": sha256(temporary / WEIGHTS)}
        torch.save(held | {"optimizer": progress, "rng": rng}, temporary / "training.pt")
    for old in _states(folder)[:-_KEPT]:
        shutil.rmtree(old)


def load_state(
    folder: Path, model: torch.nn.Module, parts: set[str], optimizer: torch.optim.Optimizer, ranks: Ranks, of: str
) -> int:
    """Restore the last whole state, if there is one, and return the step it was taken after (0: none).

    Raises `InputError`, before anything is changed, for a state that is not whole, not of this stage, or not of its weights.
    """
    # The first process decides: on a shared disk others may see a folder a moment later.
    state_folder = ranks.decide(lambda: _last(folder))
    if state_folder is None:
        return 0
    with ranks.together():
        return _restore(state_folder, model, parts, optimizer, of)


def _restore(folder: Path, model: torch.nn.Module, parts: set[str], optimizer: torch.optim.Optimizer, of: str) -> int:
    file = folder / "training.pt"
    try:
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:
        raise InputError(f"{file} cannot be read ({error}): remove {folder} to resume from the state before it") from error
    _check(state, folder, of, optimizer)
    load_into(model, folder / WEIGHTS, parts)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def as_parameter(number: int, tensor: torch.Tensor) -> torch.Tensor:
        # Moments are cut like their parameter; step counters are scalars and stay whole.
        return shard_like(tensor, parameters[number]) if tensor.shape == parameters[number].shape else tensor

    optimizer.load_state_dict(_each_state(state["optimizer"], as_parameter))
    # Last: building optimizer and model drew numbers, and from here on the draws must be those of the run that was stopped.
    torch.set_rng_state(state["rng"]["cpu"])
    if torch.cuda.is_available() and "cuda" in state["rng"]:
        torch.cuda.set_rng_state(state["rng"]["cuda"])
    return int(state["step"])


def _check(state: Any, folder: Path, of: str, optimizer: torch.optim.Optimizer) -> None:
    """Raises `InputError` where the files of a state do not belong together, or not to what is trained."""
    again = f"remove {folder} to resume from the state before it"
    if not isinstance(state, dict) or not set(state) >= _KEYS or not isinstance(state["optimizer"], dict):
        raise InputError(f"{folder / 'training.pt'} holds no state of training: {again}")
    if state["of"] != of or str(state["step"]).zfill(8) != folder.name:
        raise InputError(f"{folder} is the state of another stage or step: {again}")
    if state["weights"] != sha256(folder / WEIGHTS):
        raise InputError(f"{folder / WEIGHTS} is not what was saved with {folder / 'training.pt'}: {again}")
    shapes = [parameter.shape for group in optimizer.param_groups for parameter in group["params"]]
    for number, entry in state["optimizer"].get("state", {}).items():
        known = number in range(len(shapes)) and isinstance(entry, dict)
        if not known or not all(_fits(value, shapes[number]) for value in entry.values()):
            raise InputError(f"{folder / 'training.pt'}: the optimizer's entry {number} is of no parameter: {again}")


def _fits(value: Any, shape: torch.Size) -> bool:
    """Is a value of an optimizer's entry a finite tensor of the parameter's shape, or a number of its own?"""
    if not isinstance(value, torch.Tensor):
        return isinstance(value, int | float)
    return (value.shape == shape or value.dim() == 0) and bool(torch.isfinite(value).all())


def _each_state(record: dict[str, Any], change: Callable[[int, torch.Tensor], torch.Tensor]) -> dict[str, Any]:
    """An optimizer's state with each tensor replaced by `change(number of its parameter, tensor)`."""
    state = {
        number: {key: change(number, value) if isinstance(value, torch.Tensor) else value for key, value in entry.items()}
        for number, entry in record["state"].items()
    }
    return record | {"state": state}


def _dropped(tensor: torch.Tensor) -> torch.Tensor:
    """Take part in gathering, keep nothing."""
    return whole(tensor).new_empty(0)


def _last(folder: Path) -> Path | None:
    """The last whole state; what a killed process left half-written of others is removed."""
    for left in folder.glob(".*.tmp"):
        shutil.rmtree(left)
    return next(reversed(_states(folder)), None)


def _states(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []
