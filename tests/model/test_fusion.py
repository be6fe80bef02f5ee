"""Every fusion in whole models: packing isolates, generation equals teacher forcing, closed gates are absent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from families import text_tower
from torch import Tensor

from vistune.errors import InputError
from vistune.model.fusion.gated_cross_attention import GatedCrossAttention
from vistune.model.fusion.splice import splice
from vistune.model.language.inputs import Inputs
from vistune.model.packing import Batch, pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel, question_sample
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import kinds

FUSIONS: dict[str, dict[str, Any]] = {
    "splice": {},
    "gated_cross_attention": {"every": 2, "heads": 2, "head_width": 8},
    "zero_init_attention": {"length": 9, "layers": 1, "tune": "scale_and_bias"},
    "modality_adaptive": {},
    "visual_experts": {},
    "routed_adapters": {"hidden": 4},
    "partial_lora": {"rank": 4},
    "mid_layer_injection": {},
    "bind_attention": {"depth": 1, "layers": 1},
    "two_pass": {"text": text_tower(), "width": 16},
}
Q_FORMER = {"kind": "q_former", "queries": 9, "hidden": 16, "layers": 2, "heads": 2}
CONNECTORS = {
    "bind_attention": {"kind": "position_aware_resampler", "queries": 1, "heads": 4},
    "mid_layer_injection": Q_FORMER,
    "two_pass": Q_FORMER | {"project": False},
}
RESAMPLER = {"kind": "position_aware_resampler", "queries": 9, "heads": 4}


def test_every_fusion_is_tested() -> None:
    assert sorted(FUSIONS) == [kind for kind in kinds("vistune.model.fusion") if not kind.startswith("_")]


def build(tiny_spec: dict[str, Any], kind: str, opened: bool = True) -> VisionLanguageModel:
    """A tiny model; its fusion's new parameters are at random where `opened`, else as they start."""
    torch.manual_seed(0)
    spec = tiny_spec | {"connector": CONNECTORS.get(kind, RESAMPLER), "fusion": {"kind": kind, **FUSIONS[kind]}}
    model = VisionLanguageModel(ModelSpec.from_json(spec)).eval()
    if opened:
        for parameter in model.fusion.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module", params=sorted(FUSIONS))
def model(request: pytest.FixtureRequest, tiny_spec: dict[str, Any]) -> VisionLanguageModel:
    return build(tiny_spec, request.param)


def picture(seed: int) -> Media:
    return Media("image", data=np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def sample(seeds: tuple[int, ...], answer: str = "A red bus.") -> Sample:
    """Pictures at several places of one question, and an answer."""
    parts: list[Any] = [Text("What")]
    for index in range(len(seeds)):
        parts += [MediaRef(index), Text(" two ")]
    turns = (Turn("user", tuple(parts)), Turn("assistant", (Text(answer),)))
    return Sample("test", tuple(map(picture, seeds)), turns)


def batch_of(model: VisionLanguageModel, *samples: Sample) -> Batch:
    return pack([model.example(item, model.renderer()) for item in samples])


def test_packing_isolates_samples_to_the_bit(model: VisionLanguageModel) -> None:
    left = model.logits([sample((1,)), sample((2, 3)), sample(())])
    right = model.logits([sample((4,)), sample((2, 3)), sample(())])
    assert torch.equal(left[1], right[1]) and torch.equal(left[2], right[2])
    assert not torch.equal(left[0], right[0])


def test_a_packed_row_gives_what_single_samples_give(model: VisionLanguageModel) -> None:
    samples = [sample((1,)), sample((2, 3)), sample(())]
    for packed, item in zip(model.logits(samples), samples, strict=True):
        torch.testing.assert_close(packed, model.logits([item])[0], atol=2e-5, rtol=1e-4)


def test_generation_is_teacher_forcings_argmax(model: VisionLanguageModel) -> None:
    """Token by token with what was kept at prefill, from prompts of unequal length, with and without a picture."""
    prompts = [sample((5,)).prompt(), sample((6, 7)).prompt(), question_sample(None, "Where is the blue seven?")]
    renderer = model.renderer()
    inputs = model.inputs(pack([model.example(item, renderer, answer_next=True) for item in prompts]))
    steps = 4
    texts = model.llm.generate(inputs, steps)
    for number, text in enumerate(texts):
        ids: list[int] = []
        for _ in range(steps):
            row = extended(model, prompts[number], ids)
            ids.append(int(model.llm.logits(model.llm(row)[-1]).argmax()))
        end = model.llm.tokenizer.eos_token_id
        kept = ids[: ids.index(end)] if end in ids else ids
        assert text == model.llm.tokenizer.decode(kept).strip()


@torch.no_grad()
def extended(model: VisionLanguageModel, prompt: Sample, ids: list[int]) -> Inputs:
    """A prompt and tokens behind it, as one row that is run from its beginning."""
    prompt_row = model.inputs(pack([model.example(prompt, model.renderer(), answer_next=True)]))
    if not ids:
        return prompt_row
    more = len(ids)
    return Inputs(
        torch.cat([prompt_row.embeds, model.llm.embed(torch.tensor(ids))]),
        torch.cat([prompt_row.positions, prompt_row.positions[-1] + 1 + torch.arange(more)]),
        (prompt_row.lengths[0] + more,),
        None if prompt_row.modality is None else torch.cat([prompt_row.modality, torch.zeros(more, dtype=torch.bool)]),
        prompt_row.context,
        None if prompt_row.sees is None else torch.cat([prompt_row.sees, prompt_row.sees[-1:].expand(more, -1)]),
    )


def test_every_parameter_of_the_fusion_learns_with_and_without_pictures(model: VisionLanguageModel) -> None:
    """Without pictures, too: a process whose batch has none must not keep the others waiting."""
    for item in (sample((1,)), sample(())):
        model.zero_grad(set_to_none=True)
        model(batch_of(model, item))["text"].sum.backward()
        missing = [name for name, parameter in model.fusion.named_parameters() if parameter.grad is None]
        assert missing == [] or (not item.media and set(missing) <= {"marker", "begin", "end"}), missing


@pytest.mark.parametrize("kind", ["gated_cross_attention", "zero_init_attention"])
def test_closed_gates_are_the_base_model_to_the_bit(kind: str, tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, kind, opened=False)
    plain = build(tiny_spec, "splice")
    with torch.no_grad():
        inputs = model.inputs(batch_of(model, sample((1,)), sample((2, 3)), sample(())))
        base = plain.llm(replace(inputs, context=None, sees=None))
        assert torch.equal(model.llm(inputs), base)
        for name, parameter in model.fusion.named_parameters():
            if "gate" in name:
                parameter.data += 0.5
        assert not torch.equal(model.llm(inputs), base)


def test_an_open_gate_changes_only_what_stands_behind_a_picture(tiny_spec: dict[str, Any]) -> None:
    closed = build(tiny_spec, "gated_cross_attention", opened=False)
    opened = build(tiny_spec, "gated_cross_attention", opened=False)
    gates = {name: parameter for name, parameter in opened.fusion.named_parameters() if "attention_gate" in name}
    assert len(gates) == 1
    next(iter(gates.values())).data += 0.5
    batch = batch_of(opened, sample((1,)), sample(()))
    start = batch.slots["image"][0].start
    with torch.no_grad():
        before, after = closed.hidden(batch), opened.hidden(batch)
    same = (before == after).all(dim=1)
    assert same[:start].all() and same[batch.lengths[0] :].all() and not same[start : batch.lengths[0]].any()


def test_text_sees_the_latest_picture_or_all_before_it(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, "gated_cross_attention")
    first, second = (slot.start for slot in batch_of(model, sample((1, 2))).slots["image"])
    fusion = model.fusion
    assert isinstance(fusion, GatedCrossAttention)
    for sees, expected in (
        ("latest", [(0, 0), (0, 1), (0, 1), (1, 2), (1, 2)]),
        ("previous", [(0, 0), (0, 1), (0, 1), (0, 2), (0, 2)]),
        ("next", [(0, 1), (0, 1), (1, 2), (1, 2), (2, 2)]),
    ):
        fusion.sees = sees  # type: ignore[assignment]
        got = model.inputs(batch_of(model, sample((1, 2)))).sees
        assert got is not None
        assert [tuple(got[place].tolist()) for place in (first - 1, first, first + 1, second, second + 1)] == expected


@pytest.mark.parametrize("kind", ["modality_adaptive", "visual_experts"])
def test_copied_experts_are_the_base_model_and_serve_visual_tokens_only(kind: str, tiny_spec: dict[str, Any]) -> None:
    model, plain = build(tiny_spec, kind, opened=False), build(tiny_spec, "splice")
    with torch.no_grad():
        inputs = model.inputs(batch_of(model, sample((1,)), sample(())))
        base = plain.llm(replace(inputs, modality=None))
        torch.testing.assert_close(model.llm(inputs), base, atol=1e-5, rtol=1e-5)
        for parameter in model.fusion.parameters():
            parameter.data += 1.0
        changed = (model.llm(inputs) != base).any(dim=1)
    assert inputs.modality is not None
    start = int(torch.nonzero(inputs.modality)[0])
    assert not changed[:start].any() and not changed[inputs.lengths[0] :].any() and changed[start : inputs.lengths[0]].all()


def test_a_picture_takes_three_positions_in_cogvlm(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, "visual_experts")
    batch = batch_of(model, sample((1, 2)), sample((3,)))
    inputs = model.inputs(batch)
    for slot in batch.slots["image"]:
        assert slot.length == 9 + 2
        positions = inputs.positions[slot.start : slot.start + slot.length].tolist()
        assert [place - positions[0] for place in positions] == [0] + [1] * 9 + [2]
        assert inputs.positions[slot.start + slot.length] == positions[0] + 3


def test_splice_puts_tokens_where_slots_say(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, "splice")
    batch = batch_of(model, sample((1, 2)))
    tokens: list[Tensor] = [torch.full((9, model.llm.width), float(number)) for number in (1, 2)]
    text = Inputs(torch.zeros(len(batch.ids), model.llm.width), batch.positions, batch.lengths)
    got = splice(text, {"image": tokens}, batch.slots).embeds[:, 0]
    expected = torch.zeros(len(batch.ids))
    for slot in batch.slots["image"]:
        expected[slot.start : slot.start + slot.length] = slot.which + 1
    assert torch.equal(got, expected)


def test_what_does_not_fit_is_refused_in_one_sentence(tiny_spec: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no module of the language model's layers matches 'k_prj'"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"fusion": {"kind": "modality_adaptive", "modules": ["k_prj"]}}))
    with pytest.raises(InputError, match="layers is 5, but the language model has 2"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"fusion": {"kind": "zero_init_attention", "layers": 5}}))
    narrow = tiny_spec | {"connector": RESAMPLER, "fusion": {"kind": "zero_init_attention", "length": 4}}
    model = VisionLanguageModel(ModelSpec.from_json(narrow))
    with pytest.raises(InputError, match="has length 4, the connector gives 9 tokens"):
        model.logits([sample((1,))])


@torch.no_grad()
def test_what_begins_at_zero_begins_as_the_base_model(tiny_spec: dict[str, Any]) -> None:
    """Routed adapters, partial updates and the injection; once open, partial updates serve visual tokens alone."""
    plain = build(tiny_spec, "splice")
    for kind in ("routed_adapters", "partial_lora", "mid_layer_injection"):
        model = build(tiny_spec, kind, opened=False)
        inputs = model.inputs(batch_of(model, sample((1,)), sample((2, 3)), sample(())))
        base = plain.llm(replace(inputs, context=None, sees=None, modality=None))
        torch.testing.assert_close(model.llm(inputs), base, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_the_injection_changes_nothing_before_a_picture_and_needs_words_behind_it(tiny_spec: dict[str, Any]) -> None:
    model, plain = build(tiny_spec, "mid_layer_injection"), build(tiny_spec, "splice")
    batch = batch_of(model, sample((1,)), sample(()))
    inputs = model.inputs(batch)
    changed = (model.llm(inputs) != plain.llm(replace(inputs, context=None, sees=None, modality=None))).any(dim=1)
    start = batch.slots["image"][0].start
    assert changed[start : batch.lengths[0]].all() and not changed[:start].any() and not changed[batch.lengths[0] :].any()
    with pytest.raises(InputError, match="looks through the part 'connector', which is no q_former"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"fusion": "mid_layer_injection"}))
