"""The head for masks of the contributing page, taught in a model until it finds what it is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn
from vistune.trust import trusting


def sample(left: bool) -> Sample:
    """A picture whose one half is noise and the other black; the mask is the noise."""
    picture, mask = np.zeros((32, 32, 3), dtype=np.uint8), np.zeros((32, 32), dtype=bool)
    half = slice(0, 16) if left else slice(16, 32)
    picture[:, half] = np.random.default_rng(0).integers(0, 255, (32, 16, 3), dtype=np.uint8)
    mask[:, half] = True
    answer = Turn("assistant", (Text("It is "), Region(0, mask=mask), Text(".")))
    return Sample(str(left), (Media("image", data=picture),), (Turn("user", (MediaRef(0), Text("Where?"))), answer))


def test_it_learns_to_find_the_half_that_is_not_black(tiny_spec: dict[str, Any]) -> None:
    torch.manual_seed(0)
    with trusting(["nearest_patches"]):
        model = VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"heads": {"mask": "nearest_patches:NearestPatches"}}))
    samples = [sample(True), sample(False)]
    batch = model.pack([model.example(each, model.renderer()) for each in samples])
    optimizer = torch.optim.Adam(model.heads.parameters(), lr=3e-2)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = model(batch)["patches"]
        assert loss.of == "produce_mask" and batch.counts["produce_mask"] == 2
        loss.sum.backward()
        optimizer.step()
        losses.append(loss.sum.item())
    assert losses[-1] < losses[0] / 3
    hidden, _, seen = model.read(batch)
    states = [hidden[slot.start - 1 : slot.start] for slot in batch.slots["produce_mask"]]
    made = model.head_of["produce_mask"].decode(states, batch.things["produce_mask"], seen)
    for each, left in zip(made, (True, False), strict=True):
        assert isinstance(each, Region) and each.mask is not None
        columns = each.mask.mean(axis=0)  # four columns of patches
        assert (columns[:2].mean() > columns[2:].mean()) == left
