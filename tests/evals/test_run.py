from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.reading.annotations import asked
from vistune.evals.run import evaluate, predict, prediction_key
from vistune.sample import Media, Sample

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass
class Echo:
    """Answers with what was asked; stops after `patience` samples, as a killed process would."""

    identity: str = "echo@1"
    system: str = ""
    patience: int = 1_000
    asked: list[str] = field(default_factory=list)

    def rendered(self, sample: Sample) -> str:
        return self.system + sample.turns[-1].text

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        if len(self.asked) + len(samples) > self.patience:
            raise KeyboardInterrupt
        self.asked += [sample.id for sample in samples]
        return [f"answer to {sample.id}" for sample in samples]


def picture(value: int) -> Media:
    return Media("image", data=np.full((2, 2, 3), value, np.uint8))


def samples(count: int = 5) -> list[Sample]:
    return [asked(f"s{number}", f"Question {number}?", [picture(number)]) for number in range(count)]


def test_answers_in_order_and_on_disk(tmp_path: Path) -> None:
    found = predict(Echo(), samples(), tmp_path / "p.jsonl", batch_size=2)
    assert [prediction.answer for prediction in found] == [f"answer to s{number}" for number in range(5)]
    first = json.loads((tmp_path / "p.jsonl").read_text().splitlines()[0])
    assert first["prompt"] == "Question 0?" and first["extras"]["model"] == "echo@1" and len(first["extras"]["key"]) == 64


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, stopped, fresh = tmp_path / "p.jsonl", Echo(patience=4), Echo()
    with pytest.raises(KeyboardInterrupt):
        predict(stopped, samples(), path, batch_size=2)
    with open(path, "ab") as file:
        file.write(b'{"id": "s4", "answ')  # and the disk got half a line
    found = predict(fresh, samples(), path, batch_size=2)
    assert fresh.asked == ["s4"] and len(found) == 5
    again = Echo()
    assert predict(again, samples(), path) == found and again.asked == []


@pytest.mark.parametrize(
    ("model", "arguments", "changed"),
    [
        (Echo(identity="echo@2"), {}, samples()),
        (Echo(system="Be brief. "), {}, samples()),
        (Echo(), {"temperature": 1.0}, samples()),
        (Echo(), {}, [asked("s0", "Question 0?", [picture(9)]), *samples()[1:]]),
    ],
)
def test_answers_under_another_key_are_never_reused(
    tmp_path: Path, model: Echo, arguments: dict[str, Any], changed: list[Sample]
) -> None:
    path = tmp_path / "p.jsonl"
    predict(Echo(), samples(), path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"p.jsonl: line 1: sample 's0' was answered by another model, prompt, picture"):
        predict(model, changed, path, arguments)
    assert path.read_bytes() == before and model.asked == []


def test_other_samples_join_the_same_file(tmp_path: Path) -> None:
    path, model = tmp_path / "p.jsonl", Echo()
    predict(model, samples(2), path)
    predict(model, samples(4), path)
    assert model.asked == ["s0", "s1", "s2", "s3"]


def test_samples_that_cannot_be_asked_or_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no question to ask"):
        predict(Echo(), [Sample("s0")], tmp_path / "p.jsonl")
    with pytest.raises(InputError, match="two samples have the same id"):
        predict(Echo(), [*samples(1), *samples(1)], tmp_path / "p.jsonl")
    assert not (tmp_path / "p.jsonl").exists()


def test_key_of_media_in_files_is_their_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"one")
    keys = {
        prediction_key(Echo(), asked("s", "?", [Media.file("image", str(tmp_path / name))]), {}) for name in ("a.png", "b.png")
    }
    assert len(keys) == 1


def test_evaluate_writes_what_a_report_reads(tmp_path: Path) -> None:
    @dataclass
    class Same(Echo):
        def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
            return ["yes"] * len(samples)

    results = evaluate(Same(), {"tab_fact": str(FIXTURES / "tab_fact")}, tmp_path)
    assert results["tab_fact"].headline == 50.0
    record = json.loads((tmp_path / "tab_fact/result.json").read_text())
    assert (record["model"], record["benchmark"], record["n"]) == ("echo@1", "tab_fact", 2)
    items = [json.loads(line) for line in (tmp_path / "tab_fact/items.jsonl").read_text().splitlines()]
    assert [(item["score"], item["answer"], item["expected"]) for item in items] == [
        (100.0, "yes", ["yes"]),
        (0.0, "yes", ["no"]),
    ]


def test_a_benchmark_that_waits_for_its_judge_keeps_no_other_from_its_score(tmp_path: Path) -> None:
    data = tmp_path / "mm_vet"
    (data / "images").mkdir(parents=True)
    (data / "mm-vet.json").write_bytes((FIXTURES / "mm_vet/mm-vet.json").read_bytes())
    for name in ("v1_0.png", "v1_1.png"):
        (data / "images" / name).write_bytes(b"a picture")
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"mm_vet was answered .* but not scored: .*vistune judge.*results of tab_fact are in"):
        evaluate(Echo(), {"mm_vet": str(data), "tab_fact": str(FIXTURES / "tab_fact")}, out)
    assert len((out / "mm_vet/predictions.jsonl").read_text().splitlines()) == 2
    assert json.loads((out / "tab_fact/result.json").read_text())["n"] == 2
