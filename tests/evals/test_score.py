from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.score import score
from vistune.sample import Sample

ANNOTATIONS = {
    "annotations": [
        {"question_id": 1, "image_id": 9, "answers": [{"answer": "cat"}] * 10},
        {"question_id": 2, "image_id": 9, "answers": [{"answer": "2"}] * 10},
        {"question_id": 3, "image_id": 9, "answers": [{"answer": "red"}] * 10},
    ]
}


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    path = tmp_path / "v2_mscoco_val2014_annotations.json"
    path.write_text(json.dumps(ANNOTATIONS))
    return path


def ours(path: Path, *pairs: tuple[object, str]) -> Path:
    path.write_text("".join(json.dumps({"id": name, "answer": answer}) + "\n" for name, answer in pairs))
    return path


def test_our_lines_and_the_official_list_give_the_same_number_and_say_what_they_were(tmp_path: Path, annotations: Path) -> None:
    pairs = ((2, "Two"), (1, "Cat."), (3, "blue"))
    official = tmp_path / "results.json"
    official.write_text(json.dumps([{"question_id": name, "answer": answer} for name, answer in pairs]))
    mine, theirs = score("vqa_v2", ours(tmp_path / "p", *pairs), annotations), score("vqa_v2", official, annotations)
    assert mine.headline == theirs.headline == pytest.approx(200 / 3)
    assert mine.ids == ("1", "2", "3")
    assert mine.items.tolist() == [100, 100, 0]
    assert 'predictions read as {"id", "answer"} a line' in mine.notes
    assert any("official results" in note for note in theirs.notes)


def test_gzip_folder_samples_and_memory_are_all_accepted(tmp_path: Path, annotations: Path) -> None:
    zipped = tmp_path / "p.gz"
    zipped.write_bytes(gzip.compress(b'{"id": 1, "answer": "cat"}\n\n{"id": 2, "answer": "2"}\n'))
    assert score("vqa_v2", zipped, tmp_path).headline == pytest.approx(200 / 3)
    samples = [Sample("x", answers=("a",) * 10)]
    assert score({"kind": "vqa_v2", "rule": "official"}, [Prediction("x", "a")], samples).rule == "vqa/official"


def test_missing_and_extra_ids_are_listed_and_missing_is_wrong(tmp_path: Path, annotations: Path) -> None:
    result = score("vqa_v2", ours(tmp_path / "p", (1, "cat"), (8, "cat")), annotations)
    assert result.headline == pytest.approx(100 / 3)
    assert (result.missing, result.missing_ids, result.extra_ids) == (2, ("2", "3"), ("8",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1, "answer": "a"}\n{"id": 1, "answer": "b"}\n', "line 2: id '1' was already given another answer at"),
        ('{"id": 1, "answer": "a"}\n\n{"id": 2}\n', "line 3: field 'answer' is missing"),
        ('[{"question_id": 1, "answer": "a"}, {"question_id": 1, "answer": "b"}]', "hold two different answers to '1'"),
        ('[{"question_id": 1, "answer": "a"}, {"question_id": 2}]', "record 2: field 'answer' is missing"),
        ('[{"question_id": 1, "answer": 5}]', "record 1: field 'answer' holds 5, expected text"),
        ('[{"image_id": 1, "caption": "a"}]', "is neither our predictions"),
        ("", "is neither our predictions"),
        ('{"id": 77, "answer": "a"}\n', "no prediction belongs to any sample: predictions are for ids like '77'"),
        ('{"a": 1\n', "not JSON"),
    ],
)
def test_faults_are_located(tmp_path: Path, annotations: Path, content: str, message: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        score("vqa_v2", path, annotations)
    assert message in str(error.value)


def test_duplicate_samples_are_refused() -> None:
    with pytest.raises(InputError, match="the annotations hold sample 'x' twice"):
        score("vqa_v2", [], [Sample("x", answers=("a",) * 10)] * 2)


def test_command_prints_json_and_writes_items(tmp_path: Path, annotations: Path) -> None:
    predictions, items = ours(tmp_path / "p", (1, "cat"), (2, "x")), tmp_path / "items.jsonl"
    arguments = ["score", "vqa_v2", str(predictions), "--annotations", str(annotations), "--set", "rule=lavis"]
    done = CliRunner().invoke(app, [*arguments, "--json", "--items", str(items)])
    record = json.loads(done.stdout)
    assert record["rule"] == "vqa/lavis"
    assert record["values"]["accuracy"] == pytest.approx(100 / 3)
    assert record["missing_ids"] == ["3"]
    assert [json.loads(line)["score"] for line in items.read_text().splitlines()] == [100, 0, 0]
    assert "1 samples without a prediction, counted wrong: 3" in CliRunner().invoke(app, arguments).stdout


def test_a_line_of_text_ends_where_files_end_lines(tmp_path: Path) -> None:
    (tmp_path / "ref.txt").write_text("a dog runs\na cat sits\n")
    scores = []
    for name, first in (("plain", "a dog runs fast"), ("odd", "a dog runs\u2028fast\x0c")):
        hypotheses = tmp_path / name
        hypotheses.write_bytes(f"{first}\r\na cat sits\r\n".encode())
        result = score("plain_captions", hypotheses, str(tmp_path / "ref.txt"))
        assert (result.missing, result.extra_ids) == (0, ())
        scores.append(result.items[1])
    assert scores[0] == scores[1] > 0


@pytest.mark.parametrize(("first", "place"), [("", "big"), ('{"id": 1, "answer": "a"}\n', "big: line 2")])
def test_a_number_of_thousands_of_digits_is_a_sentence(tmp_path: Path, annotations: Path, first: str, place: str) -> None:
    (tmp_path / "big").write_text(first + '{"id": ' + "1" * 5000 + ', "answer": "a"}\n')
    with pytest.raises(InputError, match=f"{place}: holds a number that is too long"):
        score("vqa_v2", tmp_path / "big", annotations)
