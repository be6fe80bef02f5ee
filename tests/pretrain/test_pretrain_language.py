"""Scenes told in words keep the truth; pretraining writes a directory that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vistune.pretrain.language import documents, inventory, layout
from vistune.sample import MediaRef, Region, Text
from vistune.world.instructions import conversation_sample

SAMPLE = conversation_sample(3, "train", 4)


def test_an_inventory_names_every_object_with_its_box() -> None:
    parts = inventory(SAMPLE, np.random.default_rng(0))
    named = {part.text.strip() for part in parts if isinstance(part, Text)}
    boxes = {part.box for part in parts if isinstance(part, Region)}
    assert named == {region.label for region in SAMPLE.regions}
    assert boxes == {region.bounds() for region in SAMPLE.regions}


def test_a_layout_names_an_object_where_it_is() -> None:
    (text,) = layout(SAMPLE)
    assert isinstance(text, Text)
    assert {label for label in (region.label for region in SAMPLE.regions) if label and label in text.text}
    assert text.text.count(".") + sum(text.text.count(str(region.label)) for region in SAMPLE.regions) == 64


def test_documents_show_no_picture_and_depend_on_the_seed_alone() -> None:
    first, again = list(documents(5, 6)), list(documents(5, 6))
    assert first == again
    assert not any(isinstance(part, MediaRef) for sample in first for turn in sample.turns for part in turn.parts)
    assert all(turn.role == ("user", "assistant")[index % 2] for sample in first for index, turn in enumerate(sample.turns))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["vision", "language"])
def test_a_stopped_run_ends_in_the_same_weights_and_loads(what: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    from vistune.pretrain.language import pretrain_language
    from vistune.pretrain.vision import pretrain_vision

    teach = {"vision": pretrain_vision, "language": pretrain_language}[what]
    folder = {"vision": "clip", "language": "language"}[what]
    teach(tmp_path / "whole", steps=4, batch=2)
    teach(tmp_path / "cut", steps=4, batch=2, until=2)
    teach(tmp_path / "cut", steps=4, batch=2)
    whole, cut = (AutoModel.from_pretrained(tmp_path / name / folder).state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
