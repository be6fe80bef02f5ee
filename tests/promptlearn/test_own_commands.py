"""`vistune promptlearn segment` and `modality`: DenseCLIP and ViPT as a user runs them, on the world and on folders."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from tests.promptlearn.tiny import write_clip
from vistune.commands.promptlearn import app
from vistune.errors import InputError
from vistune.files import read_json
from vistune.promptlearn.backbone import load
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.masks import WORLD_NAMES, world_masks
from vistune.promptlearn.datasets.pairs import world_pairs
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.meta import meta_start
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.damvp import Damvp
from vistune.promptlearn.pictures.images import Bank

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0)}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip"))


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def write_masks(root, index=1):
    (root / "classes.txt").parent.mkdir(parents=True, exist_ok=True)
    (root / "classes.txt").write_text("red\ngreen\n")
    for split in ("train", "test"):
        for part in ("images", "masks"):
            (root / split / part).mkdir(parents=True)
        for number in range(4):
            picture, mask = np.zeros((64, 48, 3), np.uint8), np.zeros((64, 48), np.uint8)
            picture[:32], picture[32:] = COLOURS["red"], COLOURS["green"]
            mask[32:] = index
            Image.fromarray(picture).save(root / split / "images" / f"{number}.png")
            Image.fromarray(mask).save(root / split / "masks" / f"{number}.png")


def test_masks_of_a_folder_are_learnt(tiny, tmp_path):
    write_masks(tmp_path / "data")
    arguments = ("--model", tiny, "--data", tmp_path / "data", "--batch", 4, "--lr", 0.003, "--out", tmp_path / "out")
    assert run("segment", *arguments, "--steps", 1).exit_code == 0
    before = read_json(tmp_path / "out/dense_clip.json")["mean_iou"]
    done = run("segment", *arguments, "--steps", 25)
    assert done.exit_code == 0, done.output
    result = read_json(tmp_path / "out/dense_clip.json")
    assert result["mean_iou"] > max(before, 60)
    assert float(re.search(r"mIoU ([\d.]+) over 2 classes", done.stdout)[1]) == pytest.approx(result["mean_iou"], abs=0.01)
    assert (tmp_path / "out/dense_clip.safetensors").is_file()


def test_a_mask_with_an_index_of_no_class_is_refused(tiny, tmp_path):
    write_masks(tmp_path / "data", index=7)
    done = run("segment", "--model", tiny, "--data", tmp_path / "data", "--steps", 1, "--out", tmp_path / "out")
    assert "holds index 7: there are classes 0 to 1, and 255 is no class" in str(done.exception)
    (tmp_path / "data/train/masks/2.png").unlink()
    done = run("segment", "--model", tiny, "--data", tmp_path / "data", "--steps", 1, "--out", tmp_path / "out")
    assert "has no mask" in str(done.exception)


def test_a_second_modality_tells_apart_pictures_that_are_all_the_same(tiny, tmp_path):
    root = tmp_path / "data"
    for split in ("train", "test"):
        for name, grey in (("small_red_circle", 30), ("large_green_star", 220)):
            for part, value in (("rgb", 128), ("second", grey)):
                (root / split / part / name).mkdir(parents=True)
                for number in range(4):
                    picture = np.full((64, 64, 3), value, np.uint8)
                    Image.fromarray(picture).save(root / split / part / name / f"{number}.png")
    done = run(
        "modality", "--model", tiny, "--data", root, "--steps", 30, "--lr", 0.01, "--batch", 8, "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    result = read_json(tmp_path / "out/vipt.json")
    assert result["accuracy"] == {"rgb": 50.0, "both": 100.0}
    assert result["classes"] == ["large green star", "small red circle"]
    next((root / "test/second/small_red_circle").glob("2.png")).unlink()
    done = run("modality", "--model", tiny, "--data", root, "--steps", 1, "--out", tmp_path / "out")
    assert "has no second modality" in str(done.exception)
    assert "read as 1 channel" in str(run("modality", "--model", tiny, "--channels", 2).exception)


def test_worlds_of_both():
    masked = world_masks(train=3, test=2)
    assert [len(masked.train), len(masked.test), masked.names] == [3, 2, WORLD_NAMES]
    assert 0 < masked.train[0].mask.max() < len(WORLD_NAMES)
    pairs = world_pairs(train=1, test=1)
    assert len(pairs.train) == len(pairs.test) == len(pairs.names)
    assert set(np.unique(pairs.train[0].second.data)) == {0, 255}


def test_the_listing_names_them():
    assert "segment (DenseCLIP)" in json.loads(run("list", "--json").stdout)["commands of their own"]


@pytest.mark.slow
def test_a_meta_learnt_border_is_where_dam_vp_starts(tiny, tmp_path):
    file = tmp_path / "border.safetensors"
    shared = ("--model", tiny, "--shots", 1)
    small = ("--border", 4, "--epochs", 1, "--batch", 8)
    done = run("meta-start", *shared, "--dataset", "world_outline,world_noise", "--to", file, *small)
    assert done.exit_code == 0, done.output
    border = load_file(file)
    assert {side: tuple(values.shape) for side, values in border.items()} == {
        "up": (1, 3, 4, 64),
        "down": (1, 3, 4, 64),
        "left": (1, 3, 56, 4),
        "right": (1, 3, 56, 4),
    }
    few = ("--dataset", "world", "--protocol", "few_shot", "--seeds", 1, "--epochs", 1, "--out", tmp_path / "out")
    done = run("run", *shared, "--method", "damvp", *few, "--set", "border=4", "--set", f"start={file}")
    assert done.exit_code == 0, done.output
    done = run("run", *shared, "--method", "damvp", *few, "--set", "border=8", "--set", f"start={file}", "--set", "clusters=2")
    assert "was made with given" in str(done.exception) or "this border needs" in str(done.exception)
    with pytest.raises(InputError, match="this border needs"):
        Damvp.first(str(file), "up", (8, 64))


def test_reptile_moves_the_border_to_where_tasks_are_learnt(tiny):
    backbone = load(str(tiny))
    pixels = torch.randn(6, 3, 64, 64)
    shots = Shots(Engine(backbone), Classes(("one", "two")), Bank(lambda ids: pixels[list(ids)], 6), torch.tensor([0, 1] * 3))

    def loss(start):
        method = Damvp(backbone, shots.classes, border=4, threshold=1e9)
        method.prepare(shots)
        method.load_state_dict({**start, "prototypes": method.prototypes})
        call = Call(shots.engine, shots.classes, shots.images(), shots.labels)
        return float(method.losses(method(call), call)["cross_entropy"].detach())

    torch.manual_seed(0)
    before = meta_start(backbone, [shots], border=4, threshold=1e9, epochs=1, lr=0.0)
    torch.manual_seed(0)
    after = meta_start(backbone, [shots], border=4, threshold=1e9, epochs=10, lr=0.1)
    assert loss(after) < loss(before)
