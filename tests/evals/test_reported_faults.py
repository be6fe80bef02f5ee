"""What users of other tools stumbled over, on answers and annotations: each ends in the right number, a note or a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.evals.test_official_forms import command, lines
from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.reading.imports import import_predictions
from vistune.evals.reading.sources import load
from vistune.evals.score import open_benchmark

MMBENCH = "index\tquestion\tA\tB\tC\tanswer\tcategory\timage\n"


def test_letters_stay_with_their_options_where_one_is_empty(tmp_path: Path) -> None:
    table = tmp_path / "mmbench.tsv"
    table.write_text(f"{MMBENCH}1\tWhich?\tcat\t\tdog\tC\tcoarse\tiVBORw0KGgo=\n")
    (sample,) = open_benchmark("mm_bench").read(str(table))
    assert sample.turns[0].text.splitlines()[1:3] == ["A. cat", "C. dog"]
    answers = lines(tmp_path / "answers.jsonl", [{"id": "1", "answer": "C"}])
    assert command("mm_bench", answers, "--annotations", table)["values"]["circular"] == 100


@pytest.mark.parametrize(("first", "shown"), [("", "B. one"), (0, "A. 0")])
def test_options_of_seed_bench_keep_their_letters(tmp_path: Path, first: object, shown: str) -> None:
    record = {"question_id": "7", "question_type_id": 1, "data_type": "image", "data_id": "1", "question": "How many?"}
    options = {"choice_a": first, "choice_b": "one", "choice_c": "two", "choice_d": "three"}
    path = tmp_path / "SEED-Bench.json"
    path.write_text(json.dumps({"question_type": {"Counting": 1}, "questions": [{**record, **options, "answer": "B"}]}))
    (sample,) = open_benchmark("seed_bench").read(str(path))
    assert sample.turns[0].text.splitlines()[1] == shown and sample.answers == ("B",)
    answers = lines(tmp_path / "answers.jsonl", [{"id": "7", "answer": "B"}])
    assert command("seed_bench", answers, "--annotations", path)["values"]["accuracy"] == 100


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """POPE's random split of six questions and answers of which one says yes; another says NO, which officially is a yes."""
    rows = [
        {"question_id": at, "image": "a.jpg", "text": f"Is there a thing{at} in it?", "label": ("yes", "no")[at % 2]}
        for at in range(1, 7)
    ]
    lines(tmp_path / "coco_pope_random.json", rows)
    said = ["yes", "", "NO", "I cannot say", "?", "no"]
    lines(tmp_path / "answers.jsonl", [{"id": str(at), "answer": answer} for at, answer in enumerate(said, 1)])
    return tmp_path


def test_answers_that_pope_takes_for_a_yes_are_counted_beside_its_number(silent: Path) -> None:
    said = command("pope", silent / "answers.jsonl", "--annotations", silent / "coco_pope_random.json")
    assert "4 answers do not say yes; the official rule reads them as yes" in said["notes"]
    exact = command("pope", silent / "answers.jsonl", "--annotations", silent / "coco_pope_random.json", "--set", "rule=exact")
    assert exact["unparsed"] == 3 and exact["values"]["accuracy"] == pytest.approx(100 / 6 * 1)


def test_equal_answers_given_again_are_counted_once_and_different_ones_refused(silent: Path) -> None:
    annotations, note = silent / "coco_pope_random.json", "1 predictions given again with the same answer, counted once"
    llava = [{"question_id": at, "prompt": "", "text": "yes", "answer_id": f"a{turn}"} for turn, at in enumerate((1, 1, 2))]
    assert note in command("pope", lines(silent / "llava.jsonl", llava), "--annotations", annotations)["notes"]
    ours = [{"id": str(at), "answer": "yes"} for at in (1, 1, 2)]
    assert note in command("pope", lines(silent / "ours.jsonl", ours), "--annotations", annotations)["notes"]
    with pytest.raises(InputError, match="id '1' was already given another answer"):
        command("pope", lines(silent / "two.jsonl", [*ours, {"id": "1", "answer": "no"}]), "--annotations", annotations)


def test_ids_of_another_numbering_are_noticed_by_what_was_asked(silent: Path) -> None:
    """Numbered from 0, where the annotations begin at 1: each id but one belongs to a sample, and asks for another thing."""
    asked = [{"id": str(at), "answer": "no", "prompt": f"Is there a thing{at + 1} in it? Answer."} for at in range(6)]
    with pytest.raises(
        InputError, match=r"5 of 5 predictions were asked something else than the samples of their ids: '1' asks"
    ):
        command("pope", lines(silent / "zero.jsonl", asked), "--annotations", silent / "coco_pope_random.json")
    right = [{**line, "id": str(int(str(line["id"])) + 1)} for line in asked]
    assert (
        command("pope", lines(silent / "one.jsonl", right), "--annotations", silent / "coco_pope_random.json")["missing"] == 0
    )


def test_lines_of_another_harness_are_joined_by_what_they_ask(silent: Path, tmp_path: Path) -> None:
    documents = [
        {"doc_id": at, "doc": {"question": f"Is there a thing{at + 1} in it?"}, "resps": [["no"]]} for at in range(1, 6)
    ]
    source = lines(tmp_path / "samples_pope.jsonl", documents)
    out = tmp_path / "predictions.jsonl"
    assert CliRunner().invoke(app, ["import-predictions", str(source), "--out", str(out)]).exit_code == 0
    with pytest.raises(InputError, match="the ids are of another numbering"):
        command("pope", out, "--annotations", silent / "coco_pope_random.json")


def test_prompts_of_other_words_and_without_options_are_the_same_questions(tmp_path: Path) -> None:
    table = tmp_path / "mmbench.tsv"
    rows = "".join(f"{at}\tWhich is thing{at}?\tcat\tdog\tcow\tA\tcoarse\tiVBORw0KGgo=\n" for at in range(1, 5))
    table.write_text(MMBENCH + rows)
    for form in ("which is THING{}", "<image>\nUSER: Please look closely. Which is thing{}?\nA. cat\nASSISTANT:", ""):
        given = [{"id": str(at), "answer": "A", "prompt": form.format(at)} for at in range(1, 5)]
        assert command("mm_bench", lines(tmp_path / "a.jsonl", given), "--annotations", table)["values"]["circular"] == 100


@pytest.mark.parametrize("row", ["2\tWhich?\tcat\n", "2\tWhich?\tcat\tdog\tcow\tA\tcoarse\tx\tmore\n"])
def test_rows_of_another_length_are_refused_in_tables_and_imports(tmp_path: Path, row: str) -> None:
    table = tmp_path / "mmbench.tsv"
    table.write_text(f"{MMBENCH}1\tWhich?\tcat\tdog\tcow\tA\tcoarse\tiVBORw0KGgo=\n{row}")
    with pytest.raises(InputError, match=r"row 2 has \d fields, the header 8"):
        open_benchmark("mm_bench").read(str(table))
    answers = tmp_path / "model.tsv"
    answers.write_text("index\tprediction\n1\tA\n2\tB\tC\n")
    with pytest.raises(InputError, match="row 2 has 3 fields, the header 2"):
        import_predictions(answers)
    with pytest.raises(InputError, match="row 2 has 3 fields, the header 2"):
        open_benchmark("mm_bench").recognise(load(answers), [])


def test_annotations_without_a_sample_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mmbench.tsv").write_text(MMBENCH)
    answers = lines(tmp_path / "a.jsonl", [{"id": "1", "answer": "A"}])
    with pytest.raises(InputError, match="holds no samples for MmBench"):
        command("mm_bench", answers, "--annotations", tmp_path / "mmbench.tsv")
