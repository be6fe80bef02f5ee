from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.errors import InputError
from vistune.evals.reading.imports import import_predictions


def lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_lmms_eval_samples(tmp_path: Path) -> None:
    record = {"doc_id": 0, "doc": {"question_id": "34602", "image_id": "x"}, "target": "dakota"}
    path = lines(
        tmp_path / "samples_textvqa.jsonl",
        [
            record | {"resps": [["<think>hm</think> dakota"]], "filtered_resps": ["dakota"]},
            record | {"doc_id": 1, "doc": {"question_id": "34603"}, "resps": [["1898"]]},
        ],
    )
    first, second = import_predictions(path)
    assert (first.id, first.answer, first.extras["raw"]) == ("34602", "dakota", "<think>hm</think> dakota")
    assert (second.id, second.answer) == ("34603", "1898")
    with pytest.raises(InputError, match="field 'image_id' is missing"):
        import_predictions(path, "image_id")


def test_lmms_eval_without_documents_uses_their_numbers(tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", [{"doc_id": number, "filtered_resps": [f"a{number}"]} for number in range(2)])
    assert [(p.id, p.answer) for p in import_predictions(path)] == [("0", "a0"), ("1", "a1")]


@pytest.mark.parametrize("form", ["tsv", "json", "columns"])
def test_vlm_eval_kit(tmp_path: Path, form: str) -> None:
    rows = [{"index": 3, "question": "Which?", "answer": "B", "prediction": "B. red"}, {"index": 4, "prediction": ""}]
    path = tmp_path / f"model_MMBench.{form}"
    if form == "tsv":
        path.write_text("index\tquestion\tanswer\tprediction\n3\tWhich?\tB\tB. red\n4\t\t\t\n")
    elif form == "json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text(json.dumps({"index": {"0": 3, "1": 4}, "prediction": {"0": "B. red", "1": ""}}))
    assert [(p.id, p.answer) for p in import_predictions(path)] == [("3", "B. red"), ("4", "")]


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('[{"a": 1}]')
    with pytest.raises(InputError, match="is no predictions file of lmms-eval or VLMEvalKit"):
        import_predictions(tmp_path / "other.json")
    twice = lines(tmp_path / "t.jsonl", [{"doc_id": 0, "resps": [["a"]]}, {"doc_id": 0, "resps": [["b"]]}])
    with pytest.raises(InputError, match="records 1 and 2 both have the id"):
        import_predictions(twice)
    empty = lines(tmp_path / "e.jsonl", [{"doc_id": 0, "resps": [[]]}, {"doc_id": 1, "resps": [["b"]]}])
    with pytest.raises(InputError, match=r"e\.jsonl: line 1: the reply is \[\], expected text"):
        import_predictions(empty)


def test_commas_separate_a_table_too(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text('index,question,prediction\n3,"Which, then?",B\n')
    assert [(p.id, p.answer) for p in import_predictions(tmp_path / "m.csv")] == [("3", "B")]


def test_a_document_left_out_is_none_and_one_that_is_no_object_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", [{"doc_id": 7, "doc": None, "resps": [["a"]]}])
    assert [p.id for p in import_predictions(path)] == ["7"]
    with pytest.raises(InputError, match=r"line 1: field 'doc' holds '5', expected an object"):
        import_predictions(lines(path, [{"doc_id": 7, "doc": 5, "resps": [["a"]]}, {"doc_id": 8, "resps": [["a"]]}]))
