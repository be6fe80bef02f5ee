"""Prompts equal the official strings, and say the same as their exported chat templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.prompt.template import Template, as_text
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import build, kinds

FOLDER = "vistune.prompt.templates"
TOKENS = {"bos": "<s>", "eos": "</s>"}
GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "templates.json").read_text())


def conversation(*turns: tuple[str, str]) -> Sample:
    """Roles and texts, `<image>` marking pictures."""
    media: list[Media] = []
    made = []
    for role, text in turns:
        parts: list[Text | MediaRef] = []
        for index, piece in enumerate(text.split("<image>")):
            if index:
                parts.append(MediaRef(len(media)))
                media.append(Media.file("image", "x.png"))
            if piece:
                parts.append(Text(piece))
        made.append(Turn(role, tuple(parts)))  # type: ignore[arg-type]
    return Sample("s", tuple(media), tuple(made))


def lay_out(template: Template, sample: Sample, answer_next: bool = False) -> str:
    return as_text(template.pieces(sample, answer_next), TOKENS)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_prompt_and_supervision_equal_the_official_ones(case: dict) -> None:
    template = build(FOLDER, {"kind": case["template"], **case.get("arguments", {})})
    sample = conversation(*case["turns"])
    pieces = template.pieces(sample, case["turns"][-1][0] == "user")
    assert as_text(pieces, TOKENS).removeprefix(case.get("begin", "<s>")) == case["prompt"]
    supervised: list[str] = []
    previous = False
    for piece in pieces:
        if piece.trained and previous:
            supervised[-1] += as_text([piece], TOKENS)
        elif piece.trained:
            supervised.append(as_text([piece], TOKENS))
        previous = piece.trained
    assert supervised == case["supervised"]


@pytest.mark.parametrize("kind", sorted({*kinds(FOLDER)} - {"own"}))
@pytest.mark.parametrize(
    "turns",
    [
        [("user", "<image>\nWhat is this?"), ("assistant", "A bus.")],
        [("user", "Look <image> here"), ("assistant", "one"), ("user", "And?"), ("assistant", "two")],
        [("system", "Be brief."), ("user", "<image> <image> compare"), ("assistant", "same")],
        [("user", "Hello")],
    ],
)
def test_chat_template_says_the_same(kind: str, turns: list[tuple[str, str]], tiny_language: str) -> None:
    from transformers import AutoTokenizer

    template = build(FOLDER, kind)
    sample = conversation(*turns)
    tokenizer = AutoTokenizer.from_pretrained(tiny_language)
    messages = []
    for turn in sample.turns:
        content = [{"type": "text", "text": p.text} if isinstance(p, Text) else {"type": "image"} for p in turn.parts]
        messages.append({"role": turn.role, "content": content})
    exported = tokenizer.apply_chat_template(messages, tokenize=False, chat_template=template.chat_template("<image>"))
    assert exported == lay_out(template, sample, turns[-1][0] == "user")


@pytest.mark.parametrize(
    ("turns", "complaint"),
    [
        ([("assistant", "hi"), ("user", "ho")], "turn 1 is the assistant's, expected the user's"),
        ([("user", "a"), ("user", "b")], "turn 2 is the user's, expected the assistant's"),
        ([("user", "a")], "ends with a question, expected its answer"),
        ([], "has no turns"),
    ],
)
def test_turns_that_do_not_alternate_are_refused_by_name(turns: list[tuple[str, str]], complaint: str) -> None:
    with pytest.raises(InputError, match=f"sample 's': {complaint}"):
        build(FOLDER, "vicuna_v1").pieces(conversation(*turns))


def test_our_own_system_sentence_is_the_default_and_an_argument_replaces_it() -> None:
    sample = conversation(("user", "Hi"), ("assistant", "Ho"))
    assert lay_out(build(FOLDER, "vicuna_v1"), sample).startswith("<s>The assistant looks at the pictures")
    assert lay_out(build(FOLDER, {"kind": "vicuna_v1", "system": ""}), sample) == "<s>USER: Hi ASSISTANT: Ho</s>"
