"""Every reply format: what is written is read back, and what breaks it is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistune.construction.parsers import (
    free_text,
    instruction_reason,
    media_dialogues,
    messages,
    multiple_choice,
    python_pairs,
    question_answer,
    question_answer_lines,
    triple_equals,
    user_assistant,
)
from vistune.construction.parsers.base import Item, Parsed
from vistune.construction.parsers.target_names import names
from vistune.construction.parsers.tool_lines import Tool, tool_lines
from vistune.spec import kinds

TOOLS = {
    "Describe": Tool("Describe", "describes."),
    "Ask": Tool("Ask", "answers.", 2),
    "Swap": Tool("Swap", "swaps.", 3),
    "Paint": Tool("Paint", "paints.", 1, needs_image=False),
}
PLAIN = [Item.of(("How many?", "Three of them.")), Item.of(("Where?", "On the left."))]
FORMATS = {
    "triple_equals": (triple_equals.FORMAT, [Item.of(("How many?", "Three.\n\nOr four."), ("a === b?", "No."))]),
    "question_answer": (question_answer.FORMAT, PLAIN),
    "question_answer_lines": (question_answer_lines.FORMAT, [*PLAIN, Item.of(("How?", "First: this.\nThen that."))]),
    "python_pairs": (python_pairs.FORMAT, [Item.of(("It's?", 'A "quote".')), *PLAIN]),
    "instruction_reason": (instruction_reason.FORMAT, PLAIN),
    "user_assistant": (user_assistant.FORMAT, [Item.of(("Hello: you", "Two\nlines."), ("And?", "Yes."))]),
    "media_dialogues": (
        media_dialogues.FORMAT,
        [Item.of(("See <Image>a pier</Image>", "Hear <Audio>gulls</Audio>")), Item.of(("Hi", "Hello"), ("Bye", "So long"))],
    ),
    "messages": (
        messages.FORMAT,
        [Item.of(("IMAGE#2 and IMAGE#14?", "Both."), ("IMAGE#1?", "That too."), images=(("2", "14"), ("1",)))],
    ),
    "multiple_choice": (multiple_choice.FORMAT, [Item.of(("Which?", "C"), choices=("a", "b", "c", "d"))]),
    "free_text": (free_text.FORMAT, [Item.of(("", "One text.\nTwo lines."))]),
    "tool_lines": (
        tool_lines(TOOLS),
        [
            Item.of(("What is it?", ""), tool="Describe", arguments=("example.jpg",)),
            Item.of(("Make a cat", ""), tool="Paint", arguments=("a cat",)),
        ],
    ),
}


def test_every_format_is_here():
    assert set(FORMATS) | {"target_names"} == set(kinds("vistune.construction.parsers"))


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_back(name: str):
    form, items = FORMATS[name]
    assert form.parse(form.write(items)) == Parsed(tuple(items))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", ["", "   \n\n", "\x00", "[" * 50_000, "{" * 50_000])
def test_hopeless_replies_are_problems_not_crashes(name: str, text: str):
    form, _ = FORMATS[name]
    parsed = form.parse(text)
    assert parsed.problems or name == "free_text"
    assert not parsed.items or name == "free_text"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "free_text"])
@given(text=st.text(max_size=200))
def test_anything_else_is_read_or_reported(name: str, text: str):
    form, _ = FORMATS[name]
    parsed = form.parse(text)
    assert parsed.items or parsed.problems


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("free_text", "messages")])
def test_a_cut_reply_never_gains_pairs(name: str):
    form, items = FORMATS[name]
    text = form.write(items)
    whole = [pair for item in items for pair in item.pairs]
    for end in range(len(text)):
        read = [pair for item in form.parse(text[:end]).items for pair in item.pairs]
        assert read == whole[: len(read)] or read[:-1] == whole[: len(read) - 1]


WRONG = [
    ("question_answer", "Question: One?\nAnswer: Yes.\n\nQuestion: Two?", 1, "not a question and answer"),
    ("python_pairs", "[{'Q': 'a', 'B': 'b'}]", 0, "keys are not Q and A"),
    ("python_pairs", "[{'Q': 1, 'A': 'b'}]", 0, "a question or answer is not text"),
    ("python_pairs", "__import__('os').system('true')", 0, "not a Python literal"),
    ("instruction_reason", "Here:\nInstruction: Is it red?\nReason: It is blue.", 1, "text before the first instruction"),
    (
        "instruction_reason",
        "Instruction: Is it red?\nInstruction: Is it blue?\nReason: Yes.",
        1,
        "not an instruction and a reason",
    ),
    ("user_assistant", "User: Hi\nUser: Again\nAssistant: Yes", 0, "speakers do not alternate"),
    ("user_assistant", "User: Hi\nAssistant:", 0, "a speaker says nothing"),
    ("media_dialogues", "Human: <Image>a\nGPT: b", 0, "a tag is not closed"),
    ("media_dialogues", "Human: <Image></Image>\nGPT: b", 0, "a medium has no caption"),
    ("media_dialogues", "Human: a\nGPT: b\n------\nGPT: c", 1, "speakers do not alternate"),
    ("media_dialogues", "Dialogue 1:\nHuman: a\nGPT: b\n---\nDialogue 2:\nGPT: c", 1, "speakers do not alternate"),
    ("question_answer_lines", "Question: One?\nAnswer: Yes.\nQuestion: Two?", 1, "question without answer"),
    ("question_answer_lines", "Sure:\nQuestion: One?\nAnswer: Yes.", 1, "text before the first question"),
    ("multiple_choice", "Question: Which?\nA: x\nB: X\nC: y\nD: z\nAnswer: A", 0, "two options are the same"),
    ("multiple_choice", "Question: Which?\nA: x\nB: y\nC: z\nAnswer: A", 0, "not a question with four options and an answer"),
    (
        "multiple_choice",
        "Question: Which?\nA: w\nB: x\nC: y\nD: z\nAnswer: E",
        0,
        "not a question with four options and an answer",
    ),
    ("free_text", "Sure, here is the description:\n\nA dog.", 0, "preamble"),
    ("tool_lines", "1. Look [Fly, example.jpg]", 0, "unknown tool"),
    ("tool_lines", "1. Look [Describe, other.jpg]", 0, "the first argument is not the picture"),
    ("tool_lines", "1. Look [Swap, example.jpg, a]", 0, "wrong number of arguments"),
]


@pytest.mark.parametrize(("name", "text", "good", "reason"), WRONG)
def test_faults_are_named_and_the_rest_is_kept(name: str, text: str, good: int, reason: str):
    parsed = FORMATS[name][0].parse(text)
    assert len(parsed.items) == good
    assert parsed.problems[0].reason == reason


def dialogue(**change: object) -> str:
    said = [
        {"role": "user", "image_ids": ["2"], "content": "What is in IMAGE#2?"},
        {"role": "assistant", "content": "A mill."},
        {"role": "user", "image_ids": ["5"], "content": "And in IMAGE#5?"},
        {"role": "assistant", "content": "A river."},
    ]
    said[0] |= change
    return json.dumps([said, said])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": "human"}, "roles are not user, assistant, user, assistant"),
        ({"content": "What is it?"}, "a picture is not named in the text"),
        ({"content": "What is in IMAGE#22?"}, "a picture is not named in the text"),
        ({"content": ""}, "a message has no content"),
        ({"image_ids": []}, "a user message shows no picture"),
    ],
)
def test_dialogues_about_pictures_are_checked(change: dict[str, object], reason: str):
    assert len(messages.parse(dialogue()).items) == 2
    assert [problem.reason for problem in messages.parse(dialogue(**change)).problems] == [reason] * 2


def test_commas_belong_to_free_text_only():
    parsed = tool_lines(TOOLS).parse(
        "1. Draw [Paint, a cat, a dog]\n2. Ask [Ask, example.jpg, what, exactly]\n3. x [Describe, example.jpg, y]"
    )
    assert [item.fields["arguments"] for item in parsed.items] == [("a cat,a dog",), ("example.jpg", "what,exactly")]
    assert [problem.reason for problem in parsed.problems] == ["wrong number of arguments"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is cold. Therefore the answer is: [fridge, ice box, fridge]", ["fridge", "ice box"]),
        ("THEREFORE, THE TARGET OBJECTS ARE cup, fork.", ["cup", "fork"]),
        ("Therefore the answer is: []", []),
        ("The answer may be a cup.", []),
    ],
)
def test_target_names(text: str, expected: list[str]):
    assert names(text) == expected
