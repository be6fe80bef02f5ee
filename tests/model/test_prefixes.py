"""What samples share is read once and changes nothing: states, answers and likelihoods are those of whole samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from families import DECODERS, decoder

from vistune.errors import InputError
from vistune.model.answering.prefixes import lay, shared_prefixes
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel, question_sample
from vistune.sample import Media, MediaRef, Sample, Text, Turn

QUESTIONS = ("What is it?", "What is in the picture? A red bus.", "Where is the blue seven?", "What", "What is it?")
FUSIONS: dict[str, dict[str, Any]] = {
    "splice": {},
    "modality_adaptive": {},
    "visual_experts": {},
    "gated_cross_attention": {"every": 2, "heads": 2, "head_width": 8},
    "zero_init_attention": {"length": 9, "layers": 1},
}
SHARING = ("splice", "modality_adaptive", "visual_experts")


def picture(seed: int) -> Media:
    return Media("image", data=np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def asked(question: str, *seeds: int, name: str = "s") -> Sample:
    parts = [part for number in range(len(seeds)) for part in (MediaRef(number), Text("\n"))]
    return Sample(name, tuple(map(picture, seeds)), (Turn("user", (*parts, Text(question))),))


def build(tiny_spec: dict[str, Any], **changes: Any) -> VisionLanguageModel:
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec | changes)).eval()
    for parameter in model.fusion.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def mixed() -> list[Sample]:
    """Two pictures with several questions each, a pair that begins with one of them, one alone, and two without."""
    about = [asked(question, seed) for question in QUESTIONS for seed in (1, 2)]
    pairs = [asked("two", 1, 2), asked("one", 1, 2), asked("yes", 1, 3)]
    return [*about, *pairs, asked("What is it?", 4), *(question_sample(None, text) for text in QUESTIONS[1:3])]


@pytest.mark.parametrize("family", DECODERS)
def test_every_family_reads_a_shared_beginning_as_it_reads_whole_samples(family: str, tmp_path: Path) -> None:
    model = LanguageModel(decoder(family, tmp_path)).eval()
    torch.manual_seed(3)
    start, other = torch.randint(3, len(model.tokenizer), (9,)).tolist(), [7, 8, 9]
    rows = [[*start, 5, 6, 7], other, [*start, 9], [*start, 4, 4, 8, 5, 6]]
    shared = lay(rows, dict.fromkeys((0, 2, 3), (0, 9)))
    lengths = tuple(map(len, rows))
    inputs = Inputs(
        model.embed(torch.tensor([token for row in rows for token in row])),
        torch.cat([torch.arange(length) for length in lengths]),
        lengths,
    )
    with torch.no_grad():
        whole, parts = model(inputs), model.shared_states(inputs, shared)
        assert parts is not None and len(shared.kept) == len(whole) - 2 * 9
        torch.testing.assert_close(model.logits(parts), model.logits(whole), atol=1e-5, rtol=0)
        cache = model.prefill(inputs, shared)
    assert cache is not None
    assert model.generate(inputs, 6, past_key_values=cache) == model.generate(inputs, 6)


@pytest.mark.parametrize("template", ["vicuna_v1", "chatml", "plain", "llava_llama_2"])
def test_answers_are_the_same_in_every_template(template: str, tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec, template={"kind": template})
    samples = mixed() if template != "plain" else [sample for sample in mixed() if sample.media]
    plain = model.generate(samples, 6, reuse=False)
    assert model.generate(samples, 6) == plain == [model.generate([sample], 6)[0] for sample in samples]
    assert model.generate(samples, 6, batch_size=3) == plain
    assert len(set(plain)) > 2


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_fusion_shares_or_falls_back_to_the_same_answers(kind: str, tiny_spec: dict[str, Any]) -> None:
    resampler = {"kind": "position_aware_resampler", "queries": 9, "heads": 4}
    model = build(tiny_spec, fusion={"kind": kind, **FUSIONS[kind]}, connector=resampler)
    assert model.generate(mixed(), 6) == model.generate(mixed(), 6, reuse=False)
    renderer, known = model.renderer(), {}
    examples = [model.example(sample, renderer, True, known) for sample in mixed()]
    batch, shared = pack(examples), shared_prefixes(examples)
    assert shared is not None and len(shared.kept) < len(batch.ids)
    cache = model.llm.prefill(model.inputs(batch), shared)
    assert (cache is not None) == (kind in SHARING)


def test_what_is_shared_is_all_that_is_alike(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec)
    renderer, known = model.renderer(), {}
    samples = [asked("one two yes", 1, 2), asked("one two", 1, 2), asked("one two no", 1, 2), asked("one two no", 3, 2)]
    examples = [model.example(sample, renderer, True, known) for sample in samples]
    shared = shared_prefixes(examples)
    assert shared is not None
    assert shared.after == (None, 0, 0, 0, None)
    alike = [row.rendered.ids for row in examples[:3]]
    length = shared.lengths[0]
    assert all(row[:length] == alike[0][:length] for row in alike) and len({row[length] for row in alike}) > 1
    assert shared_prefixes(examples[2:]) is None and shared_prefixes(examples[:1]) is None
    ids = pack(examples).ids
    assert torch.equal(ids[shared.kept][shared.back], ids)


def test_a_picture_is_prepared_and_encoded_once(tiny_spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tiny_spec)
    assert model.vision is not None
    seen: list[int] = []
    model.vision.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    model.generate([asked(question, seed) for seed in (1, 2) for question in QUESTIONS], 2)
    assert seen == [2]


def test_a_connector_that_reads_the_question_is_asked_each(tiny_spec: dict[str, Any], tiny_language: str) -> None:
    former = {"kind": "q_former", "queries": 4, "hidden": 32, "layers": 2, "heads": 4, "tokenizer": tiny_language}
    model = build(tiny_spec, connector=former)
    assert model.vision is not None and model.connector is not None
    counts: dict[str, list[int]] = {"vision": [], "connector": []}
    model.vision.register_forward_pre_hook(lambda module, args: counts["vision"].append(len(args[0])))
    model.connector.register_forward_pre_hook(lambda module, args: counts["connector"].append(len(args[0].x)))
    samples = [asked(question, 1) for question in QUESTIONS]
    answers = model.generate(samples, 6)
    assert counts == {"vision": [1], "connector": [4]}  # five questions, two of them the same
    assert answers == [model.generate([sample], 6)[0] for sample in samples]


def test_beams_are_searched_as_before(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec)
    assert model.generate(mixed(), 4, num_beams=2) == model.generate(mixed(), 4, num_beams=2, reuse=False)


@pytest.mark.parametrize("kind", FUSIONS)
def test_options_get_the_likelihood_of_each_full_text(kind: str, tiny_spec: dict[str, Any]) -> None:
    resampler = {"kind": "position_aware_resampler", "queries": 9, "heads": 4}
    model = build(tiny_spec, fusion={"kind": kind, **FUSIONS[kind]}, connector=resampler)
    options = ["A red bus.", "A red", "Two cats on a mat.", "yes"]
    turns = (Turn("assistant", (Text("no"),)), Turn("user", (Text("And now?"),)), Turn("assistant", (Text("ignored"),)))
    sample = asked("Where?", 1, 2)
    for question in (sample, Sample("long", sample.media, (*sample.turns, *turns))):
        expected, means = [], []
        for option in options:
            prompt = question.prompt()
            history = tuple(Turn(turn.role, turn.parts, train=False) for turn in prompt.turns)
            whole = Sample("full", prompt.media, (*history, Turn("assistant", (Text(option),))))
            labels = torch.tensor(model.example(whole, model.renderer()).rendered.labels[1:])
            picked = model.logits([whole])[0][:-1].log_softmax(dim=-1)[labels != -100]
            values = picked.gather(1, labels[labels != -100, None])
            expected.append(float(values.sum()))
            means.append(float(values.mean()))
        torch.testing.assert_close(model.rank(question, options), expected, atol=1e-5, rtol=1e-6)
        torch.testing.assert_close(model.rank(question, options, mean=True), means, atol=1e-5, rtol=1e-6)
        torch.testing.assert_close(model.rank(question, options, reuse=False), expected, atol=1e-5, rtol=1e-6)


def test_what_cannot_be_ranked_is_refused(tiny_spec: dict[str, Any]) -> None:
    model = build(tiny_spec)
    with pytest.raises(InputError, match="sample 's': ranking needs options"):
        model.rank(asked("What?", 1), [])
    with pytest.raises(InputError, match="none of them empty"):
        model.rank(asked("What?", 1), ["yes", " "])
    with pytest.raises(InputError, match=r"sample 's'.*256"):
        model.rank(asked("What?", 1), ["yes", "no " * 300])
