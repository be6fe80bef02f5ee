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
    template = build(FOLDER, {"kind": case["template"], **case.get("arguments", {})}, Template)
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

    template = build(FOLDER, kind, Template)
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
        build(FOLDER, "vicuna_v1", Template).pieces(conversation(*turns))


def test_our_own_system_sentence_is_the_default_and_an_argument_replaces_it() -> None:
    sample = conversation(("user", "Hi"), ("assistant", "Ho"))
    assert lay_out(build(FOLDER, "vicuna_v1", Template), sample).startswith("<s>The assistant looks at the pictures")
    assert lay_out(build(FOLDER, {"kind": "vicuna_v1", "system": ""}, Template), sample) == "<s>USER: Hi ASSISTANT: Ho</s>"


def exported(template: Template, messages: list[dict], language: str) -> str:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(language)
    return tokenizer.apply_chat_template(messages, tokenize=False, chat_template=template.chat_template("<image>"))


@pytest.mark.parametrize("kind", ["vicuna_v1", "chatml", "minigpt4", "mplug_owl", "qwen_vl"])
@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([("user", "hi"), ("assistant", "yo"), ("system", "SECRET"), ("user", "again")], "is of the role system"),
        ([("user", "hi"), ("tool", "42"), ("user", "again")], "is of the role tool"),
        ([("user", "hi"), ("user", "again")], "is of the role user"),
        ([("assistant", "hi"), ("user", "again")], "is of the role assistant"),
        ([("user", [{"type": "video"}, {"type": "text", "text": "hi"}])], "images only"),
        ([("user", "hi"), ("assistant", [{"type": "image"}])], "an answer holds text only"),
        ([("system", [{"type": "image"}]), ("user", "hi")], "a system message holds text only"),
    ],
)
def test_an_exported_template_refuses_what_training_refuses(
    kind: str, messages: list[tuple[str, object]], complaint: str, tiny_language: str
) -> None:
    from jinja2 import TemplateError

    with pytest.raises(TemplateError, match=complaint):
        exported(
            build(FOLDER, kind, Template), [{"role": role, "content": content} for role, content in messages], tiny_language
        )


def test_an_exported_template_keeps_every_word_of_system_and_developer(tiny_language: str) -> None:
    parts = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": " Never swear."}]
    for role in ("system", "developer"):
        messages = [{"role": role, "content": parts}, {"role": "user", "content": "hi"}]
        text = exported(build(FOLDER, "vicuna_v1", Template), messages, tiny_language)
        assert text == "<s>Be brief. Never swear. USER: hi ASSISTANT:"


def test_an_exported_template_drops_a_leading_answer_where_training_does(tiny_language: str) -> None:
    template = build(FOLDER, {"kind": "vicuna_v1", "system": "", "leading_answer": "drop"}, Template)
    turns = [("assistant", "Welcome."), ("user", "Hi"), ("assistant", "Ho")]
    messages = [{"role": role, "content": text} for role, text in turns]
    assert (
        exported(template, messages, tiny_language)
        == lay_out(template, conversation(*turns))
        == "<s>USER: Hi ASSISTANT: Ho</s>"
    )


def test_an_answer_to_nothing_is_refused_with_the_way_round() -> None:
    with pytest.raises(InputError, match="`leading_answer: drop` leaves an answer to nothing out"):
        build(FOLDER, "chatml", Template).pieces(conversation(("assistant", "hi"), ("user", "a"), ("assistant", "b")))


@pytest.mark.parametrize("media_first", [False, True, "all"])
def test_media_are_numbered_and_enclosed_wherever_they_stand(media_first: object, tiny_language: str) -> None:
    spec = {"kind": "vicuna_v1", "system": "", "media_first": media_first, "media_prefix": "{n}<", "media_suffix": ">\n"}
    template = build(FOLDER, spec, Template)
    sample = conversation(("user", "a <image> b <image> c"), ("assistant", "d"), ("user", "e <image>"))
    expected = {
        False: "<s>USER: a 1<<image>>\n b 2<<image>>\n c ASSISTANT: d</s>USER: e 3<<image>>\n ASSISTANT:",
        True: "<s>USER: a 1<<image>> b 2<<image>> c ASSISTANT: d</s>USER: 3<<image>>\ne ASSISTANT:",
        "all": "<s>USER: 1<<image>>\n2<<image>>\na  b  c ASSISTANT: d</s>USER: 3<<image>>\ne ASSISTANT:",
    }[media_first]  # type: ignore[index]
    assert lay_out(template, sample, answer_next=True) == expected
    messages = [
        {
            "role": turn.role,
            "content": [{"type": "text", "text": p.text} if isinstance(p, Text) else {"type": "image"} for p in turn.parts],
        }
        for turn in sample.turns
    ]
    assert exported(template, messages, tiny_language) == expected


def test_what_stops_an_answer_is_what_follows_it_before_the_end_token() -> None:
    assert (
        build(FOLDER, "chatglm", Template).stops
        == build(FOLDER, "react", Template).stops
        == build(FOLDER, "vicuna_v1", Template).stops
        == []
    )
    assert build(FOLDER, "internlm", Template).stops == ["<eoa>"]
    assert build(FOLDER, "panda_gpt", Template).stops == ["###"]
