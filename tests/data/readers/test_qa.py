"""The declarative question-answering reader over the layouts of the field."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Text, Turn


def qa(path: Path, records: Any, **arguments: Any) -> Any:
    path.write_text(records if isinstance(records, str) else json.dumps(records))
    return read({"kind": "qa", "path": str(path), **arguments})


def test_questions_and_annotations_are_joined_as_in_vqa(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps(
            {
                "annotations": [
                    {"question_id": 9, "multiple_choice_answer": "net", "answers": [{"answer": "net"}, {"answer": "a net"}]}
                ]
            }
        )
    )
    (sample,) = qa(
        tmp_path / "q.json",
        {"questions": [{"question_id": 9, "image_id": 458752, "question": "What is this?"}]},
        at="questions",
        join=str(tmp_path / "a.json"),
        join_at="annotations",
        on="question_id",
        id="question_id",
        image="COCO_train2014_{image_id:012d}.jpg",
        answer="multiple_choice_answer",
        answers="answers.*.answer",
    )
    assert sample.media == (Media.file("image", f"{tmp_path}/COCO_train2014_000000458752.jpg"),)
    assert sample.turns == (Turn("user", (MediaRef(0), Text("What is this?"))), Turn("assistant", (Text("net"),)))
    assert (sample.id, sample.answers) == ("9", ("net", "a net"))


def test_a_dictionary_by_id_as_in_gqa(tmp_path: Path) -> None:
    records = {"02930152": {"imageId": "2354786", "question": "Sky dark?", "answer": "yes", "types": {"semantic": "global"}}}
    (sample,) = qa(tmp_path / "gqa.json", records, id="@key", image="{imageId}.jpg", meta={"type": "types.semantic"})
    assert (sample.id, sample.meta, sample.turns[1].text) == ("02930152", {"type": "global"}, "yes")


def test_multiple_choice_by_index_and_letter(tmp_path: Path) -> None:
    record = {"question": "Which?", "choices": ["red", "blue"], "answer": 1, "hint": "Look.", "image": None}
    common: dict[str, Any] = {"image": "image?", "context": "hint?", "choices": "choices", "list_choices": True}
    (sample,) = qa(tmp_path / "a.json", [record], answer_is="index", **common)
    assert sample.turns[0].text == "Look.\nWhich?\nA. red\nB. blue"
    assert (sample.turns[1].text, sample.answers, sample.choices, sample.media) == ("B", ("blue",), ("red", "blue"), ())
    image = base64.b64encode(b"bytes").decode()
    (sample,) = qa(
        tmp_path / "b.tsv",
        f"index\tquestion\tA\tB\tC\tanswer\timage\n1\tQ?\tx\ty\t\tB\t{image}\n",
        choices=["A", "B", "C"],
        answer_is="letter",
        stored="base64",
    )
    assert (sample.choices, sample.turns[1].text, sample.media[0].data) == (("x", "y"), "y", b"bytes")


def test_pipe_text_and_several_answers(tmp_path: Path) -> None:
    (sample,) = qa(
        tmp_path / "a.txt",
        "im1|what?|chair, table\n",
        delimiter="|",
        columns=["image", "question", "answer"],
        separator=",",
        images=str(tmp_path),
    )
    assert (sample.answers, sample.turns[1].text) == (("chair", "table"), "chair")


def test_questions_nested_in_records_as_in_visual_genome(tmp_path: Path) -> None:
    samples = qa(
        tmp_path / "a.json",
        [{"id": 1, "qas": [{"question": "A?", "answer": "b"}, {"question": "C?", "answer": "d"}]}],
        each="qas",
        image="{id}.jpg",
    )
    assert [sample.turns[1].text for sample in samples] == ["b", "d"]
    assert samples[1].media[0].path == f"{tmp_path}/1.jpg"


def test_a_test_set_has_no_answers(tmp_path: Path) -> None:
    (sample,) = qa(tmp_path / "a.json", [{"image": "a.jpg", "question": "A?"}], answer=None)
    assert (len(sample.turns), sample.answers) == (1, ())


@pytest.mark.parametrize(
    "changes,arguments,message",
    [
        ({"answer": ["a", "b"]}, {}, "'answer' is a list: use answers=answer"),
        ({"answer": None}, {}, "'answer' is null"),
        ({"answer": True}, {}, "'answer' is a truth value"),
        ({"question": {}}, {}, "'question' is an object"),
        ({"image": "../x.jpg"}, {}, "lies outside the folder"),
        ({"image": ["a.jpg", 3]}, {"stored": "base64"}, "is not base64"),
        ({"answer": 2}, {"choices": "choices", "answer_is": "index"}, "answer '2' is no index of one of the 2 choices"),
        ({"answer": "?"}, {"choices": "choices", "answer_is": "letter"}, "no letter of one of the 2 choices"),
        ({"answer": "z"}, {"choices": "choices", "list_choices": True}, "'z' is none of the choices"),
        ({}, {"image": "{image:012d}.jpg"}, "does not fit the template"),
        ({}, {"image": "{image!r}.jpg"}, "keys and format specs only"),
        ({}, {"question": "questoin"}, r"'questoin' is missing \(did you mean 'question'"),
    ],
)
def test_faults_are_located(tmp_path: Path, changes: dict[str, Any], arguments: dict[str, Any], message: str) -> None:
    good = {"question": "Q?", "answer": "a", "image": "a.jpg", "choices": ["a", "b"]}
    samples = qa(tmp_path / "a.json", [good, {**good, **changes}], **arguments)
    with pytest.raises(InputError, match=message):
        samples[1]


def test_arguments_that_need_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="belong together"):
        qa(tmp_path / "a.json", [], on="id")
    with pytest.raises(InputError, match="need choices"):
        qa(tmp_path / "a.json", [], list_choices=True)


def test_an_empty_choice_gives_no_other_choice_its_letter(tmp_path: Path) -> None:
    table = tmp_path / "q.csv"
    table.write_text("question,A,B,C,D,answer\nq,one,two,three,,C\nq,one,,three,four,C\n")
    data = read({"kind": "qa", "path": str(table), "image": None, "choices": ["A", "B", "C", "D"], "answer_is": "letter"})
    assert (data[0].choices, data[0].answers) == (("one", "two", "three"), ("three",))
    with pytest.raises(InputError, match="line 3: the choice 'B' is empty, but one behind it is not"):
        data[1]
