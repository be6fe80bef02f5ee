"""Scenes told in words keep the truth; pretraining writes a directory that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vistune.pretrain.language import documents, inventory
from vistune.sample import MediaRef, Region, Sample, Text
from vistune.world.instructions import conversation_sample

SAMPLE = conversation_sample(3, "train", 4)


def test_an_inventory_names_every_object_with_its_box() -> None:
    parts = inventory(SAMPLE, np.random.default_rng(0))
    named = {part.text.strip() for part in parts if isinstance(part, Text)}
    boxes = {part.box for part in parts if isinstance(part, Region)}
    assert named == {region.label for region in SAMPLE.regions}
    assert boxes == {region.bounds() for region in SAMPLE.regions}


def _shows(sample: Sample) -> bool:
    return any(isinstance(part, MediaRef) for turn in sample.turns for part in turn.parts)


def test_documents_are_told_one_way_or_the_other_and_depend_on_the_seed_alone() -> None:
    first, again = list(documents(5, 12, lists=0.5)), list(documents(5, 12, lists=0.5))
    assert [sample.turns for sample in first] == [sample.turns for sample in again]
    assert {_shows(sample) for sample in first} == {True, False}
    assert not any(map(_shows, documents(5, 6, lists=1.0)))
    assert all(turn.role == ("user", "assistant")[index % 2] for sample in first for index, turn in enumerate(sample.turns))


def test_a_list_is_said_again_before_the_first_question() -> None:
    (sample,) = documents(3, 1, lists=1.0)
    asked, said = sample.turns[:2]
    assert asked.parts[:-1] == said.parts
    plain = next(documents(3, 1, lists=0.0))
    assert sample.turns[2].parts == plain.turns[0].parts[1:]
    assert sample.turns[3:] == plain.turns[1:]


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
