"""Measuring on the way: the run does not feel it, and what it says is the same on one process, on two, and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.recipe import Recipe, Stage
from vistune.training.measuring.settings import evaluations_of
from vistune.training.run import train

TUNE = {"train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=64", "batch": 4}
HELD = {"data": "world:?task=count&split=validation", "every": 2, "size": 10, "max_new_tokens": 4, "batch": 4}
BOTH = HELD | {"name": "count", "metrics": ["loss", "exact_match"], "gallery": 3}


def recipe(spec: dict[str, Any], **stage: Any) -> Recipe:
    return Recipe.from_json({"name": "t", "model": spec, "stages": [{"name": "s", **TUNE, **stage}]})


def measured(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "logs" / "s.eval.jsonl").read_text().splitlines()]


def weights(run: Path, stage: str = "s") -> dict[str, torch.Tensor]:
    return dict(load(run / stage, device="cpu").state_dict())


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_the_run_does_not_feel_it(tiny_spec: dict, tmp_path: Path) -> None:
    adapted = tiny_spec | {"adapt": {"llm": {"kind": "lora", "rank": 2, "dropout": 0.3}}}  # draws random numbers in training
    changes = {"train": {"connector": 1e-3, "llm.adapter": 1e-3}, "steps": 5}
    train(recipe(adapted, **changes), tmp_path / "plain", report=False)
    train(recipe(adapted, **changes, evaluate=[BOTH]), tmp_path / "measured", report=False)
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "measured"))
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "logs" / "s.jsonl").read_text().splitlines()]
        for name in ("plain", "measured")
    ]
    assert losses[0] == losses[1]
    lines = measured(tmp_path / "measured")
    assert [line["step"] for line in lines] == [0, 2, 4, 5]
    assert all(line["n"] == 10 and set(line["values"]) == {"loss", "exact_match"} for line in lines)
    assert lines[-1]["values"]["loss"] < lines[0]["values"]["loss"]


def test_the_loss_is_that_of_the_samples_themselves(tiny_spec: dict, tmp_path: Path) -> None:
    from vistune.data.samples import read

    run = train(recipe(tiny_spec, steps=2, evaluate=[HELD]), tmp_path / "run", precision="fp32", report=False).parent
    model = load(run, device="cpu")
    samples = list(read(f"{HELD['data']}&size=10"))[:10]
    batch = model.pack([model.example(sample, model.renderer()) for sample in samples])
    with torch.no_grad():
        wanted = (model(batch)["text"].sum / batch.supervised).item()
    assert measured(run)[-1]["values"]["loss"] == pytest.approx(wanted, rel=1e-5)


def test_the_best_is_kept_beside_the_last(tiny_spec: dict, tmp_path: Path) -> None:
    high = {"connector": 0.3, "llm": 0.3}  # so high that it gets worse
    made = recipe(tiny_spec, train=high, steps=6, warmup=0.5, evaluate=[HELD | {"name": "held"}], keep="best", best="held.loss")
    train(made, tmp_path / "run", report=False)
    lines = [line for line in measured(tmp_path / "run") if line["step"]]
    best = min(lines, key=lambda line: line["values"]["loss"])
    assert best["step"] < 6 and not same(weights(tmp_path / "run"), weights(tmp_path / "run", "s-best"))
    kept = load(tmp_path / "run" / "s-best", device="cpu")
    from vistune.training.distributed import ALONE
    from vistune.training.measuring.evaluation import Measurement

    stage = made.stages[0]
    again = Measurement(evaluations_of(stage)[0], stage).measure(kept, "auto", ALONE)
    assert again.values["loss"] == pytest.approx(best["values"]["loss"], rel=1e-6)


def test_patience_ends_a_stage(tiny_spec: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    high = {"connector": 0.3, "llm": 0.3}
    held = HELD | {"name": "held", "every": 1}
    train(recipe(tiny_spec, train=high, steps=12, evaluate=[held], patience=2), tmp_path / "run", report=False)
    lines = [line for line in measured(tmp_path / "run") if line["step"]]
    best = min(lines, key=lambda line: line["values"]["loss"])
    assert lines[-1]["step"] == best["step"] + 2 < 12 and "it ends here" in capsys.readouterr().err


def test_a_page_shows_the_same_samples_each_time(tiny_spec: dict, tmp_path: Path) -> None:
    run = train(recipe(tiny_spec, steps=2, evaluate=[BOTH]), tmp_path / "run", report=False).parent
    page = (run / "logs" / "s.gallery.html").read_text()
    assert page.count("<figure>") == 3 and page.count("data:image/png;base64,") == 3 and "viewport" in page
    answers = [json.loads(line) for line in (run / "logs" / "s.answers.jsonl").read_text().splitlines()]
    assert len(answers) == 6 and len({answer["id"] for answer in answers}) == 3


def test_a_benchmark_measures_by_its_own_rule(tiny_spec: dict, tmp_path: Path) -> None:
    from vistune.world.export import export

    export(tmp_path / "world", "validation", 6, 0, 64)
    pope = next((tmp_path / "world").rglob("*pope*.json*"))
    told = {"data": str(pope.parent), "benchmark": "pope", "metrics": [], "every": 2, "size": 4, "max_new_tokens": 2}
    found = [path.name for path in pope.parent.iterdir()]
    if not any(name.startswith("coco_pope") for name in found):
        pytest.skip(f"the world exports no file that POPE reads: {found}")
    run = train(recipe(tiny_spec, steps=2, evaluate=[told]), tmp_path / "run", report=False).parent
    assert measured(run)[-1]["n"] == 4 and "loss" not in measured(run)[-1]["values"]


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ({"evaluate": [{"data": "world", "evry": 2}]}, "did you mean 'every'"),
        ({"evaluate": [{"data": "world", "metrics": ["exact"]}]}, "metrics has no 'exact'"),
        ({"keep": "best"}, "give it something"),
        ({"evaluate": [{"data": "world", "name": "a"}], "best": "b.loss"}, "expected NAME.METRIC"),
        ({"evaluate": [{"data": "world", "name": "a"}], "best": "a.anls"}, "but a measures loss"),
        ({"evaluate": [{"data": "world", "name": "a"}, {"data": "world", "name": "a"}]}, "two measurements have the name"),
    ],
)
def test_settings_of_no_sense_are_refused(stage: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluations_of(Stage(name="s", train={"llm": 1e-3}, data="world", **stage))


@pytest.mark.slow
def test_two_processes_measure_as_one(tiny_spec: dict, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(recipe(tiny_spec, steps=2, train={"connector": 1e-9}, evaluate=[BOTH]).to_json()))
    for name, launch in (
        ("one", []),
        ("two", ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29713"]),
    ):
        command = [
            sys.executable,
            *launch,
            "-m",
            "vistune",
            "train",
            str(file),
            "--out",
            str(tmp_path / name),
            "--precision",
            "fp32",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert measured(tmp_path / "one")[0] == measured(tmp_path / "two")[0]
    for one, two in zip(measured(tmp_path / "one"), measured(tmp_path / "two"), strict=True):
        assert one["values"]["loss"] == pytest.approx(two["values"]["loss"], rel=1e-6)
        assert one["values"]["exact_match"] == two["values"]["exact_match"]


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_measurement_leaves_the_same_log(tiny_spec: dict, tmp_path: Path) -> None:
    made = recipe(tiny_spec, steps=6, keep="best", evaluate=[BOTH | {"size": 60, "batch": 1}])
    train(made, tmp_path / "whole", save_every=1, report=False)
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(made.to_json()))
    command = [sys.executable, "-m", "vistune", "train", str(file), "--out", str(tmp_path / "cut"), "--save-every", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    steps, log = tmp_path / "cut" / "logs" / "s.jsonl", tmp_path / "cut" / "logs" / "s.eval.jsonl"
    while process.poll() is None and not (steps.exists() and len(steps.read_text().splitlines()) >= 4):
        time.sleep(0.005)
    before = len(log.read_text().splitlines())
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL and before == 2  # the measurement behind step 4 was under way
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    assert log.read_bytes() == (tmp_path / "whole" / "logs" / "s.eval.jsonl").read_bytes()
    for stage in ("s", "s-best"):
        assert same(weights(tmp_path / "whole", stage), weights(tmp_path / "cut", stage))
