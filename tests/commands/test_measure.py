"""`vistune measure`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError


def measured(*arguments: object) -> dict[str, object]:
    done = CliRunner().invoke(app, ["measure", *map(str, arguments), "--json"])
    if done.exception is not None:
        raise done.exception
    found: dict[str, object] = json.loads(done.stdout)
    return found


def values(*arguments: object) -> dict[str, float]:
    found = measured(*arguments)["values"]
    assert isinstance(found, dict)
    return found


def test_miou_of_two_folders(tmp_path: Path) -> None:
    truth = np.array([[0, 0, 1, 1], [0, 255, 1, 2]], np.uint8)
    guess = np.array([[0, 1, 1, 1], [0, 0, 1, 0]], np.uint8)
    for name, labels in (("truth", truth), ("guess", guess)):
        (tmp_path / name).mkdir()
        Image.fromarray(labels).save(tmp_path / name / "a.png")
    # Class 0: 2 of 4, class 1: 3 of 4, class 2: none of 1.
    assert values("miou", tmp_path / "guess", tmp_path / "truth", "--classes", 3)["mIoU"] == pytest.approx(
        100 * (0.5 + 0.75) / 3
    )
    Image.fromarray(truth).save(tmp_path / "truth" / "b.png")
    assert measured("miou", tmp_path / "guess", tmp_path / "truth", "--classes", 3)["missing"] == 1
    with pytest.raises(InputError, match="holds none of the files"):
        measured("miou", tmp_path, tmp_path / "truth", "--classes", 3)


def panoptic(folder: Path, name: str, ids: np.ndarray, segments: list[dict[str, int]]) -> Path:
    (folder / name).mkdir()
    Image.fromarray(np.stack([ids & 255, ids >> 8, ids * 0], -1).astype(np.uint8)).save(folder / name / "1.png")
    path = folder / f"{name}.json"
    categories = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}]
    annotation = {"image_id": 1, "file_name": "1.png", "segments_info": segments}
    path.write_text(json.dumps({"annotations": [annotation], "categories": categories}))
    return path


def test_panoptic_quality_of_two_files(tmp_path: Path) -> None:
    truth, guess = np.full((4, 4), 300), np.full((4, 4), 7)
    truth[:2], guess[:1] = 5, 9
    named = [{"id": 5, "category_id": 1}, {"id": 300, "category_id": 2}]
    first = panoptic(tmp_path, "guess", guess, [{"id": 9, "category_id": 1}, {"id": 7, "category_id": 2}])
    second = panoptic(tmp_path, "truth", truth, named)
    # The cat overlaps by one half and is no match; the sky by two thirds.
    assert values("pq", first, second)["PQ"] == pytest.approx(100 * (2 / 3) / 2)


def test_features_in_files(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(40, 3)), generator.normal(2.0, size=(50, 3))
    np.save(tmp_path / "a.npy", first)
    np.save(tmp_path / "b.npy", second)
    shift = float(((first.mean(0) - second.mean(0)) ** 2).sum())
    distance = measured("fid", tmp_path / "a.npy", tmp_path / "b.npy")["FID"]
    assert isinstance(distance, float) and shift < distance < shift + 1
    assert measured("fid", tmp_path / "a.npy", tmp_path / "a.npy")["FID"] == pytest.approx(0, abs=1e-9)
    np.save(tmp_path / "c.npy", -first)
    assert values("clip-score", tmp_path / "a.npy", tmp_path / "a.npy")["CLIPScore"] == pytest.approx(2.5)
    assert values("clip-score", tmp_path / "a.npy", tmp_path / "c.npy")["CLIPScore"] == 0
    (tmp_path / "d.npy").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"d.npy: is no .npy file of features"):
        measured("fid", tmp_path / "a.npy", tmp_path / "d.npy")


def test_sensitivity_of_scores(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text('{"vqa": [40, 60], "caption": [50, 50]}')
    assert values("sensitivity", tmp_path / "scores.json")["sensitivity"] == pytest.approx(10.0)


def test_steps_with_tools(tmp_path: Path) -> None:
    step = "Thought: Do I need to use a tool? Yes\nAction: Detect\nAction Input: image/a.png, dog\nObservation:"
    none = "Thought: Do I need to use a tool? No\nAI: Done."
    truths = [("1", step), ("2", none), ("3", step), ("4", step)]
    said = [("1", step), ("2", none), ("3", step.replace("Detect", "Caption")), ("4", "Well.")]
    for name, lines in (("truth", truths), ("said", said)):
        (tmp_path / name).write_text("".join(json.dumps({"id": key, "answer": text}) + "\n" for key, text in lines))
    found = values("tool-use", tmp_path / "said", tmp_path / "truth")
    assert found["SR"] == 50.0 and found["SR_t"] == 75.0 and found["SR_act"] == 50.0


def test_clip_score_of_pictures_by_a_dual_encoder(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for name, colour in (("red", (220, 20, 20)), ("blue", (20, 20, 220))):
        Image.new("RGB", (32, 32), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "captions.json").write_text('{"red": "a red picture", "blue.png": "a blue picture"}')
    found = measured("clip-score", tmp_path, tmp_path / "captions.json", "--model", "builtin:clip")
    assert found["n"] == 2
