"""Ways to damage an exported directory, and that each is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from vistune.errors import InputError


def shard(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))


def tokenless(folder: Path) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"image_token_index": 7}))


def unknown(folder: Path) -> None:
    file = folder / "model.safetensors"
    save_file(load_file(file) | {"audio_tower.weight": torch.zeros(1)}, file, metadata={"format": "pt"})


def check_refused(
    read: Callable[[Path, Path], object], exported: Path, room: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    """A damaged copy of `exported` makes `read` complain in one sentence and leave nothing in the empty folder `room`."""
    shutil.copytree(exported, room / "damaged")
    damage(room / "damaged")
    with pytest.raises(InputError, match=complaint) as caught:
        read(room / "damaged", room / "ours")
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in room.iterdir()) == ["damaged"]
