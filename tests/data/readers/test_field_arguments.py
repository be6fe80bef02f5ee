"""Arguments of readers that the catalogue's field maps rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import MediaRef, Produce, Sample, Text


def first(tmp_path: Path, record: Any, **spec: Any) -> Sample:
    path = tmp_path / "data.json"
    path.write_text(json.dumps([record]))
    return read({"path": str(path), **spec})[0]


def turns(asked: str, answered: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": asked}, {"from": "gpt", "value": answered}]


def test_conversation_media_by_template(tmp_path: Path) -> None:
    record = {"object_id": "7bcf", "conversations": turns("<point> What is it?", "A chair.")}
    sample = first(tmp_path, record, kind="conversations", files={"points": "{object_id}_8192.npy"})
    assert [(medium.kind, medium.path) for medium in sample.media] == [("points", f"{tmp_path}/7bcf_8192.npy")]
    assert sample.turns[0].parts == (MediaRef(0), Text(" What is it?"))


def test_conversation_media_inside_turns(tmp_path: Path) -> None:
    said = turns("<image> and <image>?", "Here: <image>")
    said[0]["shown"], said[1]["shown"] = [4, 5], [6]
    sample = first(tmp_path, {"conversations": said}, kind="conversations", turn_media="{shown.*}.jpg")
    assert [medium.path for medium in sample.media] == [f"{tmp_path}/{number}.jpg" for number in (4, 5, 6)]
    assert sample.turns[0].parts == (MediaRef(0), Text(" and "), MediaRef(1), Text("?"))
    assert sample.turns[1].parts == (Text("Here: "), Produce(2))


def test_instruction_after_earlier_turns(tmp_path: Path) -> None:
    record = {"instruction": "And now?", "output": "Later.", "history": [["Hello", "Hi"], ["When?", "Soon."]]}
    sample = first(tmp_path, record, kind="instructions", history="history?")
    assert [turn.text for turn in sample.turns] == ["Hello", "Hi", "When?", "Soon.", "And now?", "Later."]
    assert [turn.train for turn in sample.turns if turn.role == "assistant"] == [False, False, True]


@pytest.mark.parametrize("history", ["text", [["one"]], [["a", 5]], ["ab"]])
def test_history_of_another_form_is_refused(tmp_path: Path, history: Any) -> None:
    record = {"instruction": "And now?", "output": "Later.", "history": history}
    with pytest.raises(InputError, match=r"data\.json: record 1"):
        first(tmp_path, record, kind="instructions", history="history?")


def test_answers_in_words(tmp_path: Path) -> None:
    spec: dict[str, Any] = {"kind": "qa", "image": None, "question": "=Which grade?", "names": {"0": "none", "1": "mild"}}
    sample = first(tmp_path, {"answer": 1}, **spec)
    assert [turn.text for turn in sample.turns] == ["Which grade?", "mild"]
    with pytest.raises(InputError, match="the answer '2' has no name"):
        first(tmp_path, {"answer": 2}, **spec)


def test_a_list_of_answers_taught_as_one_text(tmp_path: Path) -> None:
    spec: dict[str, Any] = {"kind": "qa", "image": None, "question": "=What is there?", "answer": "found", "answers": "found"}
    sample = first(tmp_path, {"found": ["bed", "lamp"]}, separator=", ", **spec)
    assert (sample.turns[1].text, sample.answers) == ("bed, lamp", ("bed", "lamp"))
    with pytest.raises(InputError, match="or a separator to teach all of them"):
        first(tmp_path, {"found": ["bed", "lamp"]}, **spec)
