"""A demonstration shows as much as its task asks for: models copy its example, not its words."""

from __future__ import annotations

import re

import pytest

from vistune.construction.pipeline import load, names
from vistune.construction.pipelines.svit import PIPELINE as SVIT
from vistune.construction.prompt import Prompt

NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
]
COUNTED = (
    "requests|questions|exchanges|instructions|misleading instructions|multiple-choice questions|questions and answers|turns"
)
ALL = [pytest.param(prompt, id=f"{name}.{prompt.name}") for name in names() for prompt in load(name).prompts]
ROOMY = re.compile(r"at length|thorough|in detail|in as much detail|several paragraphs|from top to bottom")


def pairs_of(prompt: Prompt) -> int:
    if "one a line" in prompt.system:
        return len(prompt.format.write(prompt.shot[1]).splitlines())
    return sum(len(item.pairs) for item in prompt.shot[1])


def asked(prompt: Prompt) -> int:
    """The least number of exchanges that the words of a task ask for."""
    times, task = 1, prompt.system.lower()
    if found := re.search(rf"write ({'|'.join(NUMBERS)}) (?:conversations|dialogues)", task):
        times = NUMBERS.index(found[1]) + 1
    # "three or four questions", "three to seven exchanges": the first number is the least
    found = re.search(rf"\b({'|'.join(NUMBERS)})(?: (?:or|to) \w+)? (?:unrelated |differently worded )?(?:{COUNTED})\b", task)
    if found is None:
        return 2 if re.search(r"several (?:questions|turns)|(?:write|make up) a [\w ]*conversation", task) else 1
    number = NUMBERS.index(found[1]) + 1
    return times * (-(-number // 2) if found[0].endswith("turns") else number)


@pytest.mark.parametrize("prompt", ALL)
def test_as_many_are_shown_as_are_asked_for(prompt: Prompt) -> None:
    assert pairs_of(prompt) >= asked(prompt)
    written = prompt.format.write(prompt.shot[1])
    assert not re.search(r"thing number|number \d+\b|lorem|example \d", written)
    questions = [question for item in prompt.shot[1] for question, _ in item.pairs if question]
    assert len(set(questions)) == len(questions), "a demonstration that asks the same twice teaches to ask the same twice"


@pytest.mark.parametrize("prompt", ALL)
def test_what_is_to_be_long_is_shown_long(prompt: Prompt) -> None:
    words = [len(answer.split()) for item in prompt.shot[1] for _, answer in item.pairs]
    if found := re.search(r"(\d+) to (\d+) words\b(?! between)", prompt.system):
        assert int(found[1]) <= max(words) <= int(found[2])
    elif ROOMY.search(prompt.system.lower()) and len(words) == 1:
        assert words[0] >= 40


def test_the_tasks_count_as_they_are_written() -> None:
    by_name = {param.id: asked(param.values[0]) for param in ALL}
    expected = {
        "svit.conversation": 15,
        "svit.referring": 10,
        "lrv_instruction.negative": 6,
        "lrv_instruction.positive": 10,
        "detgpt.queries": 6,
        "macaw_llm.ask": 10,
        "llava_med.instruct": 2,
        "grit.dialogue": 3,
        "video_chatgpt.summary": 3,
        "pvit.several": 3,
        "llavar.conversation": 2,
    }
    assert {name: by_name[name] for name in expected} == expected


@pytest.mark.parametrize("prompt", SVIT.prompts, ids=lambda prompt: prompt.name)
def test_svit_says_many_things_and_points_at_what_is_there(prompt: Prompt) -> None:
    shown, items = prompt.shot
    written = prompt.format.write(items)
    texts = [part for item in items for pair in item.pairs for part in pair]
    assert len(set(texts)) >= len(texts) - len(items) // 2, "the same words again and again"
    if prompt.name == "detail":
        assert written.count("\n\n") >= 2  # several paragraphs
    if prompt.name == "referring":
        boxes = set(re.findall(r"\[[\d.,]+\]", written))
        assert boxes and boxes <= set(re.findall(r"\[[\d.,]+\]", shown))
