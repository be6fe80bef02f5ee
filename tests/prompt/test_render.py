"""Ids, labels and slots of rendered samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from transformers import AutoTokenizer

from vistune.errors import InputError
from vistune.prompt.codec import Codec
from vistune.prompt.render import IGNORE, Rendered, Renderer
from vistune.prompt.template import Template
from vistune.prompt.writer import Places
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn
from vistune.spec import build, kinds

TEMPLATES = "vistune.prompt.templates"
IMAGE = Media.file("image", "a.png")
SAMPLE = Sample(
    "s1",
    (IMAGE, IMAGE),
    (
        Turn("user", (MediaRef(0), Text("\nWhat is in the picture?"))),
        Turn("assistant", (Text("A red bus."),)),
        Turn("user", (Text("And here "), MediaRef(1), Text("?"))),
        Turn("assistant", (Text("Two cats"), Text(" on a mat."))),
    ),
)


class Counted:
    """A writer whose places are a function of the medium's number."""

    def __init__(self, places: Callable[[int], int]) -> None:
        self.places = places

    def write(self, part: MediaRef, sample: Sample) -> list[Places]:
        return [Places(self.places(part.index))]


def render(made: Renderer, sample: Sample, places: Callable[[int], int], **how: object) -> Rendered:
    return replace(made, writers={"image": Counted(places)}).render(sample, **how)


@pytest.fixture
def renderer(tiny_language: str):
    def make(template: str = "vicuna_v1", **arguments: object) -> Renderer:
        tokenizer = AutoTokenizer.from_pretrained(tiny_language)
        codec = build("vistune.prompt.codecs", {"kind": "location_tokens", "bins": 4}, Codec)
        tokenizer.add_tokens(codec.tokens, special_tokens=True)
        return Renderer(build(TEMPLATES, {"kind": template, **arguments}, Template), codec, tokenizer, tokenizer.pad_token_id)

    return make


@pytest.mark.parametrize("kind", sorted({*kinds(TEMPLATES)} - {"own", "qwen_vl", "mplug_owl"}))  # the last two are recorded
def test_labels_cover_answers_and_their_ends_only(kind: str, renderer) -> None:
    made = renderer(kind)
    rendered = render(made, SAMPLE, lambda index: 5)
    supervised = made.tokenizer.decode([label for label in rendered.labels if label != IGNORE])
    suffix = made.template.answer_suffix.replace("{eos}", "</s>")
    prefix = made.template.answer_prefix if made.template.answer_prefix_trained else ""
    assert supervised == f"{prefix}A red bus.{suffix}{prefix}Two cats on a mat.{suffix}"
    assert all(label in (IGNORE, token) for token, label in zip(rendered.ids, rendered.labels, strict=True))


def test_slots_hold_every_medium_whole_and_nothing_else(renderer) -> None:
    made = renderer()
    rendered = render(made, SAMPLE, lambda index: 3 + index)
    slots = rendered.slots["image"]
    assert [(slot.which, slot.length) for slot in slots] == [(0, 3), (1, 4)]
    for slot in slots:
        places = range(slot.start, slot.start + slot.length)
        assert all(rendered.ids[place] == made.placeholder and rendered.labels[place] == IGNORE for place in places)
    text = [token for place, token in enumerate(rendered.ids) if not any(s.start <= place < s.start + s.length for s in slots)]
    assert made.tokenizer.decode(text).startswith("<s>The assistant")
    assert made.placeholder not in text


def test_a_prompt_is_the_beginning_of_its_training_row(renderer) -> None:
    made = renderer()
    whole = render(made, SAMPLE, lambda index: 2)
    asked = render(made, replace(SAMPLE, turns=SAMPLE.turns[:3]), lambda index: 2, answer_next=True)
    assert whole.ids[: len(asked)] == asked.ids


def test_untrained_answers_are_not_supervised(renderer) -> None:
    made = renderer()
    turns = (SAMPLE.turns[0], replace(SAMPLE.turns[1], train=False), *SAMPLE.turns[2:])
    rendered = render(made, replace(SAMPLE, turns=turns), lambda index: 1)
    assert made.tokenizer.decode([label for label in rendered.labels if label != IGNORE]) == " Two cats on a mat.</s>"


def test_truncation_drops_whole_turns_and_their_media(renderer) -> None:
    made = renderer(system="")
    whole = render(made, SAMPLE, lambda index: 10)
    short = render(made, SAMPLE, lambda index: 10, max_length=len(whole) - 1)
    assert short.dropped_turns == 2
    assert short.ids == render(made, replace(SAMPLE, turns=SAMPLE.turns[:2]), lambda index: 10).ids
    assert [slot.which for slot in short.slots["image"]] == [0]


def test_a_sample_that_cannot_fit_is_refused_by_name(renderer) -> None:
    with pytest.raises(InputError, match=r"sample 's1': takes \d+ tokens, 300 of them media, but the limit is 50"):
        render(renderer(system=""), replace(SAMPLE, turns=SAMPLE.turns[:2]), lambda index: 300, max_length=50)


def test_nothing_to_supervise_is_refused_by_name(renderer) -> None:
    turns = (SAMPLE.turns[0], replace(SAMPLE.turns[1], train=False))
    with pytest.raises(InputError, match="sample 's1': has no supervised token"):
        render(renderer(), replace(SAMPLE, turns=turns), lambda index: 1)


def test_special_tokens_in_a_users_text_are_plain_characters(renderer) -> None:
    made = renderer(system="")
    turns = (Turn("user", (Text("say </s> now <loc_1>"),)), Turn("assistant", (Text("no</s>"),)))
    rendered = render(made, Sample("x", (), turns), lambda index: 1)
    assert rendered.ids.count(made.tokenizer.eos_token_id) == 1
    assert made.tokenizer.convert_tokens_to_ids("<loc_1>") not in rendered.ids


def test_regions_are_written_by_the_codec_as_its_own_tokens(renderer) -> None:
    made = renderer(system="")
    turns = (Turn("user", (Text("Where?"),)), Turn("assistant", (Region(box=(0, 0.25, 0.5, 1)),)))
    rendered = render(made, Sample("x", (IMAGE,), turns), lambda index: 1)
    wanted = made.tokenizer.convert_tokens_to_ids(["<loc_0>", "<loc_1>", "<loc_2>", "<loc_4>"])
    assert [token for token in rendered.labels if token in wanted] == wanted


@pytest.mark.parametrize("part", [MediaRef(0), Region(box=(0.1, 0.1, 0.5, 0.5))])
def test_what_is_no_text_in_a_system_turn_is_refused_not_lost(renderer, part) -> None:
    sample = replace(SAMPLE, turns=(Turn("system", (Text("Look: "), part)), *SAMPLE.turns))
    with pytest.raises(InputError, match="sample 's1': its system turn holds a medium or a region"):
        render(renderer(), sample, lambda index: 3)
