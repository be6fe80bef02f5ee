"""Pairs of answers in the field's formats, each as its release has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import MediaRef, Text

MARKS = ("Helpfulness", "Visual Faithfulness", "Ethical Considerations")
USER = [{"from": "human", "value": "<image>\nWhat is it?"}]


def rated(response: str, *ratings: str) -> dict[str, Any]:
    marks = {name: {"Rating": rating, "Rationale": "so"} for name, rating in zip(MARKS, ratings, strict=True)}
    return {"model": "m", "response": response, "annotations": marks}


FORMS: dict[str, dict[str, Any]] = {
    "rlaif_v": {"idx": 7, "ds_name": "x", "question": "What is it?", "chosen": "a cat", "rejected": "a dog"},
    "rlhf_v": {"text": json.dumps({"question": "What is it?", "chosen": "a cat", "rejected": "a dog"}), "idx": 7},
    "povid": {
        "id": 7,
        "conversations": [*USER, {"from": "gpt", "value": "a cat"}],
        "rejected_conversations": [*USER, {"from": "gpt", "value": "a dog"}],
    },
    "ranking": {"id": "7", "conversations": USER, "chosen": {"from": "gpt", "value": "a cat"}, "rejected": {"value": "a dog"}},
    "messages": {
        "id": "7",
        "messages": [{"role": "user", "content": "<image>What is it?"}],
        "chosen": [{"role": "assistant", "content": "a cat"}],
        "rejected": [{"role": "assistant", "content": "a dog"}],
    },
    "vl_feedback": {
        "id": "7",
        "prompt": "What is it?",
        "completions": [rated("a cow", "3", "3", "5"), rated("a cat", "5", "4", "5"), rated("a dog", "1", "1", "5")],
    },
}


def opened(folder: Path, record: dict[str, Any], query: str = "") -> Any:
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (folder / "pairs.jsonl").write_text(json.dumps({"image": "a.png", **record}) + "\n")
    return read(f"preferences:{folder / 'pairs.jsonl'}{query}")


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_form_gives_the_same_pair(form: str, tmp_path: Path) -> None:
    sample = opened(tmp_path, FORMS[form])[0]
    assert (sample.id, sample.turns[-1].text, sample.meta["rejected"]) == ("7", "a cat", "a dog")
    assert sample.turns[-2].text.strip() == "What is it?" and sample.turns[-2].parts[0] == MediaRef(0)
    assert len(sample.turns) == 2 and isinstance(sample.turns[-1].parts[0], Text)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"question": "Q", "chosen": "a", "rejected": " "}, "the rejected answer is empty"),
        ({"question": "Q", "chosen": "a"}, "rejected"),
        ({"chosen": "a", "rejected": "b"}, "has no question: name its key with question="),
        ({"prompt": "Q", "completions": [rated("a", "1", "2", "3"), rated("b", "3", "2", "1")]}, "all rated alike"),
        ({"text": "{", "idx": 1}, "'text' holds no JSON"),
        ({"conversations": USER, "rejected_conversations": USER}, "ends with a user's turn"),
    ],
)
def test_what_is_no_pair_is_said(record: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        opened(tmp_path, record)[0]


def test_keys_of_other_names_are_told(tmp_path: Path) -> None:
    record = {"ask": "What is it?", "good": "a cat", "bad": "a dog", "source": "s"}
    sample = opened(tmp_path, record, "?question=ask&chosen=good&rejected=bad")[0]
    assert sample.turns[-1].text == "a cat" and sample.meta == {"rejected": "a dog", "source": "s"}


def test_the_world_gives_pairs_about_existence() -> None:
    samples = read("world:?task=existence_adversarial&pairs=true&size=20")
    assert {(sample.turns[-1].text, sample.meta["rejected"]) for sample in samples} == {("yes", "no"), ("no", "yes")}
    with pytest.raises(InputError, match="not of the task 'count'"):
        read("world:?task=count&pairs=true")
