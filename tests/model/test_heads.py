"""Every head keeps the contract inside a model: it writes, is taught, and makes what it says it makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mechanisms import close
from tiny_heads import write_painter, write_segmenter

import vistune
from vistune.model.heads.base import Head, states_of
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.writer import Trigger
from vistune.sample import Media, Region, Sample
from vistune.spec import kinds

TASKS = {"produce_mask": "segment", "produce_box": "refer_box", "produce_image": "paint"}
KINDS = [kind for kind in kinds("vistune.model.heads") if not kind.startswith("_")]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A segmenter and painters, by name."""
    segmenter, painter, speaking = (tmp_path_factory.mktemp(name) for name in ("segmenter", "painter", "speaking"))
    write_segmenter(segmenter)
    write_painter(painter)
    write_painter(speaking, width=128)  # as wide as the shipped text encoder
    return {"segmenter": str(segmenter), "painter": str(painter), "speaking": str(speaking)}


def spec(kind: str, folders: dict[str, str]) -> dict[str, Any]:
    vision = {"kind": "huggingface", "path": "builtin:clip", "layer": -1}
    small: dict[str, dict[str, Any]] = {
        "promptable_mask": {"path": folders["segmenter"]},
        "set_queries": {"queries": 6, "bins": 16},
        "signal_tokens": {
            "text_encoder": "builtin:clip", "length": 12, "inner": 16, "layers": 1, "heads": 2,
            "painter": folders["speaking"], "steps": 2,
        },
        "dream_queries": {"painter": folders["painter"], "queries": 3, "drop": 0.5, "steps": 2},
        "visual_codes": {
            "encoder": vision, "image_encoder": "builtin:clip", "codes": 12, "queries": 4, "hidden": 16, "layers": 1,
            "heads": 2, "depth": 1, "narrow": [8, 4],
        },
    }  # fmt: skip
    return {"kind": kind, **small.get(kind, {})}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, folders: dict[str, str]) -> VisionLanguageModel:
    torch.manual_seed(0)
    made = VisionLanguageModel(
        ModelSpec(
            vision={"kind": "huggingface", "path": "builtin:clip", "layer": -2},
            connector="linear",
            llm="builtin:language",
            template={"kind": "vicuna_v1", "system": ""},
            codec={"kind": "location_tokens", "bins": 64},
            heads={"made": spec(request.param, folders)},
            max_length=2048,
        )
    )
    return made.eval()


def head_of(model: VisionLanguageModel) -> Head:
    head = model.heads["made"]
    assert isinstance(head, Head)
    return head


def samples(head: Head, count: int = 2) -> list[Sample]:
    return list(vistune.read(f"world:?task={TASKS[head.makes[0]]}&size={count}"))


def test_losses_are_the_named_ones_and_every_weight_learns(model: VisionLanguageModel) -> None:
    head, renderer = head_of(model), model.renderer()
    batch = pack([model.example(sample, renderer) for sample in samples(head)])
    losses = model(batch)
    assert set(losses) == {"text", *head.losses}
    assert all(each.of in batch.counts and each.sum.isfinite() for each in losses.values())
    torch.stack([each.sum for each in losses.values()]).sum().backward()
    still = [name for name, weight in head.named_parameters() if weight.requires_grad and weight.grad is None]
    unused = ("output_hypernetworks_mlps", "iou_prediction_head", "segmenter.encoder", "tokenizer.q_former")
    assert [name for name in still if not any(part in name for part in unused)] == []


def test_a_sample_is_taught_the_same_alone_and_beside_others(model: VisionLanguageModel) -> None:
    head, renderer = head_of(model), model.renderer()
    if "alignment" in head.losses:
        pytest.skip("contrasts the samples of a row")
    examples = [model.example(sample, renderer) for sample in samples(head)]

    def sums(chosen: list[Any]) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        return {name: each.sum for name, each in model(pack(chosen)).items()}

    with torch.no_grad():
        both, first, second = sums(examples), sums(examples[:1]), sums(examples[1:])
    fixed = [name for name in both if name not in ("denoising", "codes")]  # drawn anew; a mean over the row
    for name in fixed:
        close(both[name], first[name] + second[name], 1e-4, 1e-4)


def test_it_makes_what_it_makes(model: VisionLanguageModel) -> None:
    head, renderer = head_of(model), model.renderer()
    batch = pack([model.example(sample, renderer) for sample in samples(head)])
    with torch.no_grad():
        inputs, seen = model._inputs(batch)
        hidden = model.llm(inputs)
        things = batch.things.get(head.makes[0], ())
        made = head.decode(states_of(hidden, inputs.embeds, batch.slots.get(head.makes[0], []), head), things, seen)
    for artefact in made:
        assert isinstance(artefact, Media if head.makes[0] == "produce_image" else Region)
    if type(head).__name__ == "PromptableMask":
        masks = [part.mask for sample in samples(head) for part in sample.turns[-1].parts if isinstance(part, Region)]
        assert [region.mask.shape for region in made] == [mask.shape for mask in masks]  # type: ignore[union-attr]


def test_what_a_head_writes_it_reads_from_the_header_alone(model: VisionLanguageModel) -> None:
    """`write` is pure: the same stretches every time."""
    head = head_of(model)
    for sample in samples(head):
        parts = [part for part in sample.turns[-1].parts if type(part).__name__ in ("Region", "Produce")]
        assert [head.write(part, sample) for part in parts] == [head.write(part, sample) for part in parts]


def test_an_answer_holds_what_its_words_ask_for(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language model says what opens an artefact, or its triggers, and nothing more."""
    head, tokenizer = head_of(model), model.llm.tokenizer
    sample = samples(head, 1)[0]
    part = next(part for part in sample.turns[-1].parts if type(part).__name__ in ("Region", "Produce"))
    triggers = [stretch.text for stretch in head.write(part, sample) if isinstance(stretch, Trigger)]
    if head.spells or not (head.opens or triggers) or "alignment" in head.losses:
        pytest.skip("makes nothing of states")
    said = [[tokenizer.convert_tokens_to_ids(text) for text in ([head.opens] if head.opens else triggers)], []]
    monkeypatch.setattr(model.llm, "generate_ids", lambda *_, **__: [said.pop(0) if said else []])
    answer = model.answer([sample])[0]
    made = answer.media if head.makes[0] == "produce_image" else answer.regions
    assert len(made) == 1 or "set_class" in head.losses
