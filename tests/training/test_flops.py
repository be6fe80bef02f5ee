"""The formula against what torch counts while tiny models run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vistune.model.packing import Batch, pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.render import IGNORE
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.planning.flops import FlopModel, Load
from vistune.training.planning.peaks import peak, published
from vistune.training.selection import select

RESAMPLER = {"kind": "perceiver_resampler", "latents": 4, "depth": 1, "heads": 2, "head_width": 8}
FUSIONS: dict[str, dict[str, Any]] = {
    "splice": {},
    "gated_cross_attention": {"connector": RESAMPLER, "every": 2, "heads": 2, "head_width": 8},
    "modality_adaptive": {},
    "partial_lora": {"rank": 4, "dropout": 0.0},
    "visual_experts": {},
}


def build(
    spec: dict[str, Any], fusion: str, train: dict[str, float], adapt: dict[str, Any] | None = None
) -> VisionLanguageModel:
    changes = dict(FUSIONS[fusion])
    connector = changes.pop("connector", spec["connector"])
    vision = spec["vision"] | {"layer": -1}  # no gradient goes through layers above the one that is used
    made = spec | {"vision": vision, "connector": connector, "fusion": {"kind": fusion, **changes}, "adapt": adapt or {}}
    model = VisionLanguageModel(ModelSpec.from_json(made))
    select(model, train, "test").switch_on(model)
    return model


def row(model: VisionLanguageModel) -> Batch:
    generator = np.random.default_rng(0)
    samples = []
    for words in ("A red bus.", "Two cats on a mat."):
        picture = Media("image", data=generator.integers(0, 255, (32, 32, 3), dtype=np.uint8))
        turns = (Turn("user", (MediaRef(0), Text("What is in the picture?"))), Turn("assistant", (Text(words),)))
        samples.append(Sample(words, (picture,), turns))
    return pack([model.example(sample, model.renderer()) for sample in samples])


def counted(model: VisionLanguageModel, batch: Batch) -> tuple[float, float]:
    """Forward and backward operations, as torch counts them. Its fused attention on the CPU would go uncounted."""
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            hidden = model.hidden(batch)
            where = torch.nonzero(batch.labels[1:] != IGNORE).squeeze(1)
            loss = F.cross_entropy(model.llm.logits(hidden[where]), batch.labels[where + 1])
        with FlopCounterMode(display=False) as backward:
            loss.backward()
    return forward.get_total_flops(), backward.get_total_flops()


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
@pytest.mark.parametrize(
    "train",
    [{"connector": 1e-3}, {"connector": 1e-3, "llm": 1e-3}, {"vision": 1e-3, "connector": 1e-3, "fusion": 1e-3, "llm": 1e-3}],
    ids=["connector", "tune", "all"],
)
def test_the_formula_is_what_torch_counts(tiny_spec: dict[str, Any], fusion: str, train: dict[str, float]) -> None:
    train = {part: rate for part, rate in train.items() if part != "fusion" or fusion != "splice"}
    model = build(tiny_spec, fusion, train)
    batch = row(model)
    parts = FlopModel(model).step([Load.of(batch, model)])
    forward, backward = counted(model, batch)
    assert sum(part.forward for part in parts.values()) == pytest.approx(forward, rel=1e-9)
    assert sum(part.backward for part in parts.values()) == pytest.approx(backward, rel=0.02)


def test_adapters_pass_gradients_through_the_frozen_model(tiny_spec: dict[str, Any]) -> None:
    adapt = {"llm": {"kind": "lora", "rank": 4}}
    model = build(tiny_spec, "splice", {"connector": 1e-3, "llm.adapter": 1e-3}, adapt)
    batch = row(model)
    parts = FlopModel(model).step([Load.of(batch, model)])
    forward, backward = counted(model, batch)
    assert sum(part.forward for part in parts.values()) == pytest.approx(forward, rel=1e-9)
    assert sum(part.backward for part in parts.values()) == pytest.approx(backward, rel=0.02)
    assert parts["vision"].backward == 0 and 0 < parts["llm"].backward < 1.5 * parts["llm"].forward


def test_only_supervised_positions_are_projected_to_the_vocabulary(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, "splice", {"connector": 1e-3})
    count = FlopModel(model)
    few, many = (count.step([Load((100,), supervised)])["llm"].forward for supervised in (10, 20))
    assert many - few == 2 * 10 * model.llm.model.get_output_embeddings().weight.numel()


def test_attention_counts_samples_not_the_row(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, "splice", {"connector": 1e-3})
    count = FlopModel(model)
    one, two = (count.step([Load(lengths, 0)])["llm"].forward for lengths in ((100,), (50, 50)))
    layers, width = 2, 32
    assert one - two == layers * 4 * width * (100**2 - 2 * 50**2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("NVIDIA A100-SXM4-80GB", 312e12), ("NVIDIA H100 PCIe", 756e12), ("NVIDIA A10", 125e12), ("Some card", None)],
)
def test_published_peaks_go_by_the_whole_name(name: str, expected: float | None) -> None:
    assert published(name) == expected


def test_a_processor_is_measured() -> None:
    found = peak(torch.device("cpu"), "fp32")
    assert found is not None and 1e8 < found < 1e14
