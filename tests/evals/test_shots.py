"""Demonstrations before questions: whose, in which order, and what a model then reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.shots import with_shots
from vistune.sample import Media, MediaRef, Sample, Text, Turn


def asked(name: str, shade: int, answer: str = "") -> Sample:
    picture = Media("image", data=np.full((4, 4, 3), shade, np.uint8))
    turn = Turn("user", (MediaRef(0), Text(f"what is {name}?")))
    return Sample(name, (picture,), (turn,), answers=(answer,) if answer else ())


POOL = [asked(f"p{shade}", shade, f"a{shade}") for shade in (0, 60, 120, 180, 240)]
QUERIES = [asked("q1", 125), asked("q2", 5)]


def brightness(pictures: Sequence[Media]) -> Any:
    angle = np.array([float(np.asarray(picture.data).mean()) for picture in pictures]) / 255
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def names(sample: Sample) -> list[str]:
    return [turn.text for turn in sample.turns]


def test_the_nearest_stand_before_the_question_the_most_alike_last() -> None:
    first, second = with_shots(QUERIES, POOL, 2, features=brightness)
    assert names(first) == ["what is p180?", "a180", "what is p120?", "a120", "what is q1?"]
    assert names(second) == ["what is p60?", "a60", "what is p0?", "a0", "what is q2?"]
    shown = [part.index for turn in first.turns for part in turn.parts if isinstance(part, MediaRef)]
    assert shown == [0, 1, 2] and first.media[2] is QUERIES[0].media[0]
    assert [turn.train for turn in first.turns if turn.role == "assistant"] == [False, False]


def test_a_draw_depends_on_the_seed_and_the_question_alone() -> None:
    drawn = with_shots(QUERIES, POOL, 3, seed=1)
    assert names(drawn[1]) == names(with_shots(QUERIES[::-1], POOL, 3, seed=1)[0])
    seeds = {tuple(names(with_shots(QUERIES, POOL, 3, seed=seed)[0])) for seed in range(8)}
    assert len(seeds) > 4 and all(len(set(one)) == 7 for one in seeds)


def test_a_question_is_no_demonstration_of_itself() -> None:
    for features in (None, brightness):
        for sample, made in zip(POOL, with_shots(POOL, POOL, 3, features=features), strict=True):
            assert names(made).count(sample.turns[0].text) == 1


def test_too_few_demonstrations_are_a_sentence() -> None:
    with pytest.raises(InputError, match="5 demonstrations of 5 answered samples"):
        with_shots(QUERIES, [*POOL, asked("open", 9)], 5)


class Echo:
    """A model that answers with the prompt it was shown: how many pictures, which texts."""

    identity = "echo"

    def rendered(self, sample: Sample) -> str:
        return " | ".join([str(len(sample.media)), *names(sample.prompt())])

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        return [self.rendered(sample) for sample in samples]


def conversations(folder: Path, letters: str) -> str:
    lines = []
    for name in letters:
        Image.new("RGB", (16, 16), (40 * ord(name) % 255, 90, 10)).save(folder / f"{name}.png")
        told = [{"from": "human", "value": f"<image>\nname {name}"}, {"from": "gpt", "value": f"it is {name}"}]
        lines.append({"id": name, "image": f"{name}.png", "conversations": told})
    path = folder / f"{letters}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"conversations:{path}"


def test_predict_shows_demonstrations(tmp_path: Path) -> None:
    data, pool, out = conversations(tmp_path, "ab"), conversations(tmp_path, "cde"), tmp_path / "out.jsonl"
    command = ["predict", f"{__name__}:Echo", "--trust", __name__, "--data", data, "--out", str(out), "--shots", "2"]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, InputError) and "--shots needs --shots-from" in str(done.exception)
    done = CliRunner().invoke(app, [*command, "--shots-from", pool])
    assert done.exit_code == 0, (done.output, done.exception)
    answers = [json.loads(line)["answer"] for line in out.read_text().splitlines()]
    assert [answer.split(" | ")[0] for answer in answers] == ["3", "3"]
    assert all(
        answer.count("it is") == 2 and answer.rstrip().endswith(f"name {name}")
        for answer, name in zip(answers, "ab", strict=True)
    )


def test_eval_takes_each_benchmarks_demonstrations_from_a_file_of_its_own(tmp_path: Path) -> None:
    fixture = Path(__file__).parent / "fixtures" / "gqa"
    train = json.loads(next(fixture.glob("testdev*.json")).read_text())
    path = tmp_path / "train.json"
    path.write_text(json.dumps({f"t{number}": record for number, record in enumerate([*train.values()] * 2)}))
    command = [
        "eval",
        f"{__name__}:Echo",
        "--trust",
        __name__,
        "--bench",
        f"gqa={fixture}",
        "--out",
        str(tmp_path / "out"),
        "--shots",
        "1",
    ]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, InputError) and "--shots-from gqa=FILE" in str(done.exception)

    tools = Path(__file__).parent / "fixtures" / "gpt4tools"
    records = json.loads((tools / "gpt4tools_val_seen.json").read_text())
    path.write_text(json.dumps([{**record, "id": f"t{number}"} for number, record in enumerate(records)]))
    command[5], command[7] = f"gpt4tools={tools}", str(tmp_path / "tools")
    done = CliRunner().invoke(app, [*command, "--shots-from", f"gpt4tools={path}"])
    assert done.exit_code == 0, (done.output, done.exception)
    lines = (tmp_path / "tools" / "gpt4tools" / "predictions.jsonl").read_text().splitlines()
    said = [json.loads(line)["answer"] for line in lines]
    assert len(said) == len(records) and all(any(record["output"] in one for record in records) for one in said)
