"""Kept features change no bit of a run, are found again by content, and are not kept where they would be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.model.feature_cache import Level
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Recipe, Stage
from vistune.training import caching as module
from vistune.training.caching import cache_of, caching, predict
from vistune.training.planning.flops import Load
from vistune.training.run import train
from vistune.training.selection import select

DATA = "world:?task=captions&size=24"
ALIGN = {"name": "align", "train": {"connector": 1e-2}, "data": DATA, "batch": 8, "epochs": 3, "template": "plain"}
TUNE = {"name": "tune", "train": {"llm": 1e-3}, "data": DATA, "batch": 8, "epochs": 2}


def losses(spec: dict[str, Any], out: Path, *stages: dict[str, Any]) -> list[float]:
    train(Recipe.from_json({"name": "test", "model": spec, "stages": list(stages)}), out, report=False)
    lines = [line for stage in stages for line in (out / "logs" / f"{stage['name']}.jsonl").read_text().splitlines()]
    return [json.loads(line)["loss"] for line in lines]


def test_losses_are_bit_equal_with_and_without(tiny_spec: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    stages = [ALIGN, TUNE]
    without = losses(tiny_spec, tmp_path / "without", *[stage | {"cache": "off"} for stage in stages])
    assert not (tmp_path / "without" / "features").exists()
    kept = losses(tiny_spec, tmp_path / "kept", *stages)
    said = capsys.readouterr().out
    assert "stage align: what the encoder gives is kept: at most" in said
    assert "stage tune: what the connector gives is kept: at most" in said
    assert kept == without and len(kept) == 9 + 6
    shared = [stage | {"cache": "encoder", "cache_folder": str(tmp_path / "kept" / "features")} for stage in stages]
    files = sorted((tmp_path / "kept" / "features").rglob("*.safetensors"))
    times = [file.stat().st_mtime_ns for file in files]
    assert losses(tiny_spec, tmp_path / "shared", *shared) == without
    assert [file.stat().st_mtime_ns for file in files] == times and not (tmp_path / "shared" / "features").exists()


def cached(spec: dict[str, Any], folder: Path, level: Level = "encoder") -> VisionLanguageModel:
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json(spec))
    select(model, {"llm": 1e-3}, "test").switch_on(model)
    model.chains["image"].cache = cache_of(model, "image", level, folder, "fp32")
    return model


@pytest.mark.parametrize("level", ["encoder", "connector"])
@pytest.mark.parametrize("tiles", [False, True])
def test_what_is_found_is_what_was_made(tiny_spec: dict[str, Any], tmp_path: Path, level: Level, tiles: bool) -> None:
    spec = tiny_spec
    if tiles:
        spec = spec | {"vision": {"kind": "anyres", "inner": spec["vision"]}, "connector": {"kind": "anyres", "inner": "mlp"}}
    model, samples = cached(spec, tmp_path, level), [read(DATA)[index] for index in range(4)]
    plain = model.logits(samples)
    pictures = model.chains["image"]
    pictures.cache, kept = None, pictures.cache
    assert kept is not None and (kept.made, kept.found) == (4, 0)
    assert all(map(torch.equal, plain, model.logits(samples)))
    pictures.cache = kept
    assert all(map(torch.equal, plain, model.logits(samples)))
    assert (kept.made, kept.found) == (4, 4)
    example = model.example(samples[0], model.renderer())
    (medium,) = example.media
    assert medium.inputs.shape[1] == 0 and medium.kept is not None  # nothing was decoded
    assert Load.of(pack([example]), model).inputs == {"image": 0}  # and nothing is claimed to have been computed
    pictures.cache = None
    assert model.example(samples[0], model.renderer()).media[0].geometry == medium.geometry


def test_a_file_cut_short_is_made_again(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    model, sample = cached(tiny_spec, tmp_path), read(DATA)[0]
    before = model.logits([sample])
    (file,) = tmp_path.rglob("*.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert torch.equal(model.logits([sample])[0], before[0])
    assert len(file.read_bytes()) == len(whole)


def test_other_weights_have_another_folder(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    model = cached(tiny_spec, tmp_path)
    assert model.chains["image"].cache is not None and model.vision is not None
    next(model.vision.parameters()).data[0] += 1
    other = cache_of(model, "image", "encoder", tmp_path, "fp32")
    assert other.folder != model.chains["image"].cache.folder


@pytest.mark.parametrize(
    ("changes", "train", "reason"),
    [
        ({}, {"vision": 1e-3}, "vision is trained"),
        ({"cache": "connector"}, {"connector": 1e-3}, "connector is trained"),
        ({"epochs": 1}, {"connector": 1e-3}, ""),
    ],
)
def test_what_cannot_be_kept_is_not_and_says_why(
    tiny_spec: dict[str, Any], tmp_path: Path, capsys: Any, changes: dict[str, Any], train: dict[str, float], reason: str
) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    stage = Stage(**{"name": "s", "train": train, "data": DATA, "batch": 8, "epochs": 2} | changes)
    select(model, stage.train, "test").switch_on(model)
    with caching(model, read(DATA), stage, int(3 * stage.epochs), tmp_path / "features", "fp32"):
        assert model.chains["image"].cache is None
    said = capsys.readouterr().out
    assert said == (f"stage s: features are not kept: {reason}\n" if reason else "")


def test_a_disk_without_room_is_refused_when_asked_and_avoided_when_not(
    tiny_spec: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    model, samples = VisionLanguageModel(ModelSpec.from_json(tiny_spec)), read(DATA)
    select(model, {"connector": 1e-3}, "test").switch_on(model)
    need = predict(model, "image", samples, "encoder", "fp32")
    assert (need.media, need.bytes) == (24, 24 * 16 * 32 * 4)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=usage.total // 20 + need.bytes - 1))
    stage = Stage(name="s", train={"connector": 1e-3}, data=DATA, batch=8, epochs=2)
    with caching(model, samples, stage, 6, tmp_path / "features", "fp32"):
        assert model.chains["image"].cache is None
    assert "features are not kept: they take at most 0.0 MB for 24 pictures" in capsys.readouterr().out
    asked = Stage(name="s", train={"connector": 1e-3}, data=DATA, batch=8, cache="encoder")
    with (
        pytest.raises(InputError, match="but the disk has room for"),
        caching(model, samples, asked, 6, tmp_path / "features", "fp32"),
    ):
        pass
    assert not (tmp_path / "features").exists()


def test_pictures_prepared_in_another_way_have_another_folder(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    """The mean stands in a file beside the weights, and neither they nor the spec tell when it changes."""
    model = cached(tiny_spec, tmp_path)
    first, again = model.chains["image"].cache, cache_of(model, "image", "encoder", tmp_path, "fp32")
    model.vision.mean = (0.0, 0.0, 0.0)  # type: ignore[union-attr, assignment]
    other = cache_of(model, "image", "encoder", tmp_path, "fp32")
    assert first is not None and first.folder == again.folder != other.folder
