"""Benchmarks from data set repositories: a snapshot that is there, a folder that `datasets` wrote, one-line results."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.score import open_benchmark, read_answers, score
from vistune.hub import local_folder

datasets = pytest.importorskip("datasets")


def row(number: int) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (number, 0, 0)).save(buffer, "PNG")
    picture = {"bytes": buffer.getvalue(), "path": None}
    question = {"idx": f"q{number}", "prompt": "Which?", "answer": "(A)", "choices": ["a", "b"], "sub_task": "depth"}
    return question | {"image_1": picture, "image_2": None}


def table() -> Any:
    images = {name: datasets.Image() for name in ("image_1", "image_2")}
    texts = {name: datasets.Value("string") for name in ("idx", "prompt", "answer", "sub_task")}
    features = datasets.Features({**texts, **images, "choices": datasets.List(datasets.Value("string"))})
    return datasets.Dataset.from_list([row(0), row(1)], features=features)


def test_a_folder_that_datasets_wrote_reads_like_the_official_files(tmp_path: Path) -> None:
    (tmp_path / "hub" / "Depth").mkdir(parents=True)
    table().to_parquet(tmp_path / "hub" / "Depth" / "val-00000.parquet")
    datasets.DatasetDict({"val": table(), "test": table()}).save_to_disk(tmp_path / "saved")
    blink = open_benchmark("blink")
    official, saved = blink.read(str(tmp_path / "hub")), blink.read(str(tmp_path / "saved"))
    assert [sample.id for sample in saved] == ["q0", "q1"]
    assert [(sample.media, sample.turns, sample.answers) for sample in saved] == [
        (sample.media, sample.turns, sample.answers) for sample in official
    ]
    assert score(blink, [Prediction("q0", "A")], str(tmp_path / "saved")).headline == 50
    with pytest.raises(InputError, match="has the splits test: choose one"):
        datasets.DatasetDict({"test": table()}).save_to_disk(tmp_path / "other")
        blink.read(str(tmp_path / "other"))
    with pytest.raises(InputError, match=r"has no \*/val-\*\.parquet"):
        blink.read(str(tmp_path))


def test_a_snapshot_that_is_there_is_used_without_a_network(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "datasets--some--bench"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    snapshot = repository / "snapshots" / ("0" * 40)
    (snapshot / "Depth").mkdir(parents=True)
    table().to_parquet(snapshot / "Depth" / "val-00000.parquet")
    (tmp_path / "said.jsonl").write_text(json.dumps({"idx": "q1", "prediction": "A"}))
    code = "import sys; from vistune.evals.score import score; print(score('blink', *sys.argv[1:]).values)"
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    for name, said in (("some/bench", "50.0"), ("some/other", "hub:some/other: the hub gives no data set of that name")):
        command = [sys.executable, "-c", code, str(tmp_path / "said.jsonl"), f"hub:{name}"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2])
        assert said in done.stdout + done.stderr


def test_only_the_prefix_asks_for_the_hub() -> None:
    assert local_folder("some/bench", "dataset") == "some/bench"
    with pytest.raises(InputError, match="the hub gives no data set"):
        local_folder("hub:not a name", "dataset")


def test_a_result_file_of_one_line_is_a_list_of_one(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"idx": "q1", "prediction": "A", "seconds": 2}\n')
    (found,) = read_answers(open_benchmark("blink"), tmp_path / "one.jsonl", []).predictions
    assert (found.id, found.answer, found.extras) == ("q1", "A", {"seconds": 2})
