"""The encoder of sounds of the contributing page, alone and in a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from loudness import Loudness

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.trust import trusting


def sound(*levels: float) -> Media:
    """Stretches of 400 samples, each of one level."""
    return Media("audio", data=np.repeat(np.array(levels, dtype=np.float32), 400)[:, None])


def test_levels_are_decibels_and_their_changes() -> None:
    ready = Loudness(stretches=2).read(sound(0.1, 1.0))
    assert ready.inputs[0].tolist() == [pytest.approx([-2.0, 0.0], abs=1e-3), pytest.approx([0.0, 2.0], abs=1e-3)]
    assert ready.layout == Loudness(stretches=2).layout(sound(0.1))


def test_a_model_hears_it_and_it_learns(tiny_spec: dict[str, Any]) -> None:
    parts = {"ear": {"kind": "loudness:Loudness", "stretches": 4}, "ear_mlp": "mlp"}
    torch.manual_seed(0)
    with trusting(["loudness"]):
        model = VisionLanguageModel(
            ModelSpec.from_json(tiny_spec | {"parts": parts, "modalities": {"audio": ["ear", "ear_mlp"]}})
        )
    ask, say = Turn("user", (MediaRef(0), Text("What?"))), Turn("assistant", (Text("A bus."),))
    loud, soft = (Sample(str(level), (sound(level, level / 2),), (ask, say)) for level in (0.9, 0.01))
    one, two = model.logits([loud, soft])
    assert not torch.equal(one, two)
    model(model.pack([model.example(loud, model.renderer())]))["text"].sum.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parts["ear"].parameters())
