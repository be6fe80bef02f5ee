"""Files as official scripts write them, scored as a person scores them: `vistune score BENCH FILE --annotations ...`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from test_benchmark_contract import CASES, FIXTURES, Case
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.listing import listing
from vistune.evals.prediction import Prediction
from vistune.evals.score import BENCHMARKS, Answers, open_benchmark, score_samples
from vistune.spec import kinds

GOLDEN = Path(__file__).parents[1] / "golden"
INSTRUCTION = "\nAnswer the question using a single word or phrase."


def command(*arguments: str | Path) -> dict[str, Any]:
    """What `vistune score ... --json` prints."""
    done = CliRunner().invoke(app, ["score", *map(str, arguments), "--json"])
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def lines(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_gqa_prints_what_its_evaluation_prints(tmp_path: Path) -> None:
    recorded = json.loads((GOLDEN / "gqa.json").read_text(encoding="utf-8"))
    (tmp_path / "val_all_questions.json").write_text(json.dumps(recorded["questions"]))
    (tmp_path / "val_choices.json").write_text(json.dumps(recorded["choices"]))
    answers = [{"questionId": name, "prediction": answer} for name, answer in recorded["predictions"].items()]
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    said = command("gqa", tmp_path / "answers.json", "--annotations", tmp_path / "val_all_questions.json")
    values = said["values"] | {f"{name}_{key}": v for name, table in said["details"].items() for key, v in table.items()}
    assert {name: f"{values[name]:.2f}" for name in recorded["printed"]} == recorded["printed"]


@pytest.fixture
def pope(tmp_path: Path) -> Path:
    """Three splits of two questions, whose first is the same; `answers.jsonl` is LLaVA's, wrong in the popular split alone."""
    (tmp_path / "coco").mkdir()
    said = []
    for split, objects in (("adversarial", "dog bench"), ("popular", "dog chair"), ("random", "dog ball")):
        rows = [
            {"question_id": at, "image": "a.jpg", "text": f"Is there a {name} in the image?", "label": ("yes", "no")[at - 1]}
            for at, name in enumerate(objects.split(), 1)
        ]
        lines(tmp_path / f"coco/coco_pope_{split}.json", rows)
        said += [
            (row["text"], {"yes": "No", "no": "Yes"}[row["label"]] if split == "popular" else row["label"]) for row in rows
        ]
    answers = [{"question_id": at, "prompt": text + INSTRUCTION, "text": answer} for at, (text, answer) in enumerate(said, 10)]
    lines(tmp_path / "answers.jsonl", answers)
    return tmp_path


def test_llavas_one_file_of_popes_three_splits(pope: Path) -> None:
    whole = command("pope", pope / "answers.jsonl", "--annotations", pope)
    assert whole["n"] == 6 and whole["missing"] == 0
    assert [whole["values"][f"F1_{split}"] for split in ("random", "popular", "adversarial")] == [100, 0, 100]
    assert whole["values"]["mean_F1"] == pytest.approx(200 / 3)
    for split, f1 in (("random", 100), ("popular", 0), ("adversarial", 100)):
        one = command("pope", pope / "answers.jsonl", "--annotations", pope, "--set", f"split={split}")
        assert (one["n"], one["missing"], one["values"]["F1"]) == (2, 0, f1)
        named = command("pope", pope / "answers.jsonl", "--annotations", pope / f"coco/coco_pope_{split}.json")
        assert named["values"]["F1"] == f1


def test_answers_to_one_split_are_not_taken_for_all(pope: Path) -> None:
    official = [
        {"question": "Is there a dog in the image?", "answer": "yes"},
        {"question": "Is there a ball in the image?", "answer": "no"},
    ]
    path = pope / "random.json"
    path.write_text(json.dumps(official))
    with pytest.raises(InputError, match="answers the split 'random', but not 'popular': say --set split=random"):
        command("pope", path, "--annotations", pope)
    assert command("pope", path, "--annotations", pope, "--set", "split=random")["values"]["F1"] == 100


@pytest.mark.parametrize("kind", kinds(BENCHMARKS))
def test_answers_that_mostly_belong_to_no_sample_are_refused(kind: str) -> None:
    case = CASES.get(kind, Case())
    bench = open_benchmark({"kind": kind, **dict(case.spec)})
    samples = bench.read(str(FIXTURES / kind / case.source))
    given = Answers([Prediction(samples[0].id, "yes"), *(Prediction(f"stranger {at}", "yes") for at in range(3))], "memory")
    with pytest.raises(InputError, match="3 of 4 predictions belong to no sample"):
        score_samples(bench, samples, given)
    if case.judge is None and kind not in ("flickr30k_retrieval", "reason_seg"):  # whose answers are no words
        assert score_samples(bench, samples, given, partial=True).missing == len(samples) - 1


def test_partial_is_a_flag_of_the_command(pope: Path) -> None:
    answers = lines(pope / "some.jsonl", [{"id": f"random/{at}", "answer": "yes"} for at in range(1, 9)])
    with pytest.raises(InputError, match="say --partial"):
        command("pope", answers, "--annotations", pope)
    assert command("pope", answers, "--annotations", pope, "--partial")["missing"] == 4


def test_several_judge_runs_give_mean_and_deviation(tmp_path: Path) -> None:
    runs = [
        lines(
            tmp_path / f"run{at}.jsonl",
            [{"question_id": q, "category": "llava_bench_conv", "tuple": [8, rating]} for q in (0, 2)],
        )
        for at, rating in enumerate((6, 7.5))
    ]
    given = [argument for path in runs for argument in ("--judgements", path)]
    said = command("llava_bench_in_the_wild", *given)
    assert said["values"]["relative"] == pytest.approx((75 + 93.8) / 2) and said["details"]["runs"] == [75, 93.8]
    assert said["values"]["deviation"] == pytest.approx((93.8 - 75) / 2)

    source = FIXTURES / "mm_vet"
    grades = tmp_path / "grades.json"
    grades.write_text(json.dumps({"v1_0": {"score": [1.0, 0.5]}, "v1_1": {"score": [0.0, 0.1]}}))
    said = command("mm_vet", "--judgements", grades, "--annotations", source)
    assert said["values"]["total"] == 40 and said["values"]["std"] == pytest.approx(10) and said["details"]["runs"] == [50, 30]


def test_half_points_and_a_reference_rated_zero_count(tmp_path: Path) -> None:
    reviews = [
        {"question_id": 0, "category": "conv", "tuple": [0, 5]},
        {"question_id": 1, "category": "conv", "tuple": [8.5, 4]},
    ]
    said = command("llava_bench_coco", "--judgements", lines(tmp_path / "reviews.jsonl", reviews))
    assert said["values"]["relative"] == round(100 * 4.5 / 4.25, 1)


def test_judged_files_of_hallusion_bench_are_scored_without_asking(tmp_path: Path) -> None:
    records = json.loads((FIXTURES / "hallusion_bench/HallusionBench.json").read_text())
    judged = [
        {**record, "model_prediction": "?", "gpt4v_output_gpt_check": verdict}
        for record, verdict in zip(records, "110", strict=True)
    ]
    path = tmp_path / "judged.json"
    path.write_text(json.dumps(judged))
    said = command("hallusion_bench", "--judgements", path, "--annotations", FIXTURES / "hallusion_bench")
    assert said["values"]["aAcc"] == pytest.approx(200 / 3)


def seed_questions(path: Path) -> Path:
    record = {"question_type_id": 1, "data_type": "image", "data_id": "1_0", "question": "How many?"}
    options = {"choice_a": "One", "choice_b": "Two", "choice_c": "Three", "choice_d": "Four"}
    questions = [
        {**record, **options, "question_id": name, "answer": answer} for name, answer in (("7", "A"), ("7", "B"), ("8", "C"))
    ]
    path.write_text(json.dumps({"question_type": {"Instances Counting": 1}, "questions": questions}))
    return path


def test_seed_bench_gives_an_id_twice_and_its_lines_end_in_commas(tmp_path: Path) -> None:
    annotations = seed_questions(tmp_path / "SEED-Bench.json")
    answers = tmp_path / "answers.jsonl"
    line = '{"question_id": "%s", "prediction": "%s"}'
    answers.write_text("".join(line % pair + ",\n" for pair in (("7", "A"), ("7", "B"), ("8", "C"))))
    assert command("seed_bench", answers, "--annotations", annotations)["values"]["accuracy"] == 100
    answers.write_text("".join(line % pair + "\n" for pair in (("7", "A"), ("8", "C"), ("8", "C"))))
    said = command("seed_bench", answers, "--annotations", annotations)
    assert said["values"]["accuracy"] == pytest.approx(200 / 3)  # the one answer to 7 is to both
    assert "1 predictions given again with the same answer, counted once" in said["notes"]


def test_vqa_annotations_may_name_images_by_text_and_need_only_what_scoring_reads(tmp_path: Path) -> None:
    answers = [{"answer": "down"}] * 10
    annotations = tmp_path / "v2_mscoco_val2014_annotations.json"
    annotations.write_text(
        json.dumps({"annotations": [{"question_id": "a-1", "image_id": "pictures/one.png", "answers": answers}]})
    )
    path = lines(tmp_path / "answers.jsonl", [{"question_id": "a-1", "prompt": "Where?", "text": "down"}])
    assert command("vqa_v2", path, "--annotations", annotations)["values"]["accuracy"] == 100


def test_a_table_of_captions_is_a_table(tmp_path: Path) -> None:
    captions = tmp_path / "captions.csv"
    captions.write_text('image_id,caption\n391895,"A man, on a moped, rides."\n522418,A woman cuts a cake.\n')
    said = command("coco_captions", captions, "--annotations", FIXTURES / "coco_captions")
    assert said["missing"] == 0 and said["values"]["CIDEr"] > 0


LLAVA = [item.name for item in listing() if any(form.startswith("LLaVA") for form in item.examples)]


def test_llavas_answers_are_taken_wherever_its_scripts_evaluate_them() -> None:
    evaluated = {"gqa", "mm_bench", "mm_vet", "mme", "pope", "science_qa", "seed_bench", "text_vqa", "viz_wiz", "vqa_v2"}
    assert evaluated <= set(LLAVA)  # each example of theirs is scored in test_listing.py
    assert {"llava_bench_coco", "llava_bench_in_the_wild"} <= {item.name for item in listing() if '"text"' in item.results}
