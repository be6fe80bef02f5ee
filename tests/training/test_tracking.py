"""Numbers of a run in a tracker: asked for, as in the log, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.training.tracking import FOLDER, LIBRARIES, check_trackers, tracking

HELD = {
    "name": "count",
    "data": "world:?task=count&split=validation",
    "every": 2,
    "size": 4,
    "metrics": ["loss", "exact_match"],
}


def run(spec: dict[str, Any], folder: Path, *further: str) -> Any:
    stage = {"name": "tune", "train": {"connector": 1e-3}, "data": "world:?task=count&size=16", "batch": 4, "steps": 4}
    stage |= {"evaluate": [HELD | {"max_new_tokens": 2}]}
    folder.mkdir(exist_ok=True)
    (folder / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": spec, "stages": [stage]}))
    return CliRunner().invoke(app, ["train", str(folder / "run.yaml"), "--out", str(folder / "out"), *further])


def test_nothing_is_tracked_unless_it_is_asked_for(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    assert run(tiny_spec, tmp_path).exit_code == 0
    assert not (tmp_path / "out" / FOLDER).exists()
    with tracking((), tmp_path, {}) as track:
        track("train/tune", 1, {"loss": 1.0})
    assert not (tmp_path / FOLDER).exists()


def test_a_tracker_that_is_not_there_is_refused_before_anything_begins(
    tiny_spec: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"no tracker 'tensorbord'.*did you mean 'tensorboard'"):
        check_trackers(["tensorbord"])
    monkeypatch.setattr("vistune.training.tracking.find_spec", lambda name: None)
    done = run(tiny_spec, tmp_path, "--track", "tensorboard")
    assert "pip install 'vistune[tensorboard]'" in str(done.exception) and not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="pip install wandb"):
        check_trackers(["wandb"])


def test_every_name_is_one_that_accelerate_knows() -> None:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    assert set(LIBRARIES) <= {str(name) for name in LOGGER_TYPE_TO_CLASS}


def test_an_event_file_holds_the_numbers_of_the_log(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    done = run(tiny_spec, tmp_path, "--track", "tensorboard")
    assert done.exit_code == 0, done.exception
    (folder,) = (tmp_path / "out" / FOLDER).iterdir()
    events = reader.EventAccumulator(str(folder))
    events.Reload()
    log = [json.loads(line) for line in (tmp_path / "out/logs/tune.jsonl").read_text().splitlines()]
    found = [(event.step, event.value) for event in events.Scalars("train/tune/loss")]
    assert found == [(line["step"], pytest.approx(line["loss"], rel=1e-6)) for line in log] and len(found) == 4
    measured = [json.loads(line) for line in (tmp_path / "out/logs/tune.eval.jsonl").read_text().splitlines()]
    told = [(event.step, event.value) for event in events.Scalars("eval/tune/count/exact_match")]
    assert told == [(line["step"], pytest.approx(line["values"]["exact_match"])) for line in measured] and len(told) == 3
