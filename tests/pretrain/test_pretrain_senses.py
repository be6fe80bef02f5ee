"""A stopped and continued run of each pretraining command ends in the same bytes and writes its card."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDERS = {
    "audio": "whisper",
    "points": "point_bert",
    "codes": "code_book",
    "video": "vivit",
    "masks": "sam",
    "painter": "painter",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", FOLDERS)
def test_a_stopped_run_ends_in_the_same_bytes_and_writes_its_card(what: str, tmp_path: Path) -> None:
    from importlib import import_module

    teach = getattr(import_module(f"vistune.pretrain.{what}"), f"pretrain_{what}")
    teach(tmp_path / "whole", steps=3, batch=2)
    teach(tmp_path / "cut", steps=3, batch=2, until=2)
    teach(tmp_path / "cut", steps=3, batch=2)
    whole, cut = (tmp_path / name / FOLDERS[what] for name in ("whole", "cut"))
    assert (whole / "model.safetensors").read_bytes() == (cut / "model.safetensors").read_bytes()
    card = (cut / "README.md").read_text()
    assert f"vistune pretrain {what} --steps 3 --batch 2 --seed 0" in card and "| steps | 3 |" in card and "SHA-256" in card


def test_data_hash_is_of_the_first_hundred() -> None:
    import numpy as np

    from vistune.pretrain.card import data_hash

    arrays = [np.full(3, index, np.int16) for index in range(120)]
    assert data_hash(arrays) == data_hash(arrays[:100]) != data_hash(arrays[:99])
