"""The same commands for a model taken whole: tune, continue, predict, talk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import vistune
from vistune.cli import app
from vistune.errors import InputError
from vistune.model.native.model import NativeModel
from vistune.model.weights.checkpoint import load as load_parts
from vistune.recipe import load_recipe
from vistune.training.run import train

WORLD = "world:?task=colour&size=12"


def tuned(folder: str, out: Path, **stage: object) -> Path:
    settings = {"model.native": folder, "stages.0.steps": 4, "stages.0.batch": 4, "stages.0.micro": 2, "stages.0.data": WORLD}
    settings |= {"model.dtype": "float32"} | {f"stages.0.{key}": value for key, value in stage.items()}
    return train(load_recipe("native").override(settings), out, precision="fp32", report=False, save_every=2)


def test_a_tuned_model_is_trained_saved_loaded_and_asked(tiny: Callable[[str], str], tmp_path: Path) -> None:
    folder = tuned(tiny("qwen2_vl"), tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run/logs/tune.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [1, 2, 3, 4] and log[0]["supervised"] > 0
    assert yaml.safe_load((folder / "vistune.yaml").read_text())["parts"] == ["native.adapter"]
    assert (folder / "model.safetensors").stat().st_size < (Path(tiny("qwen2_vl")) / "model.safetensors").stat().st_size
    model = vistune.load(folder)
    assert isinstance(model, NativeModel)
    out = tmp_path / "answers.jsonl"
    command = ["predict", str(folder), "--data", WORLD, "--out", str(out), "--max-new-tokens", "4", "--batch-size", "5"]
    for _ in range(2):  # the second time everything is there already
        assert CliRunner().invoke(app, command).exit_code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    samples = list(vistune.read(WORLD))
    assert [line["id"] for line in lines] == [sample.id for sample in samples]
    assert [line["answer"] for line in lines] == model.generate(samples, max_new_tokens=4)
    with pytest.raises(InputError, match="taken whole"):
        load_parts(folder)


def test_the_same_run_gives_the_same_bits(tiny: Callable[[str], str], tmp_path: Path) -> None:
    first, second = tuned(tiny("llava"), tmp_path / "first"), tuned(tiny("llava"), tmp_path / "second")
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


def test_the_untuned_model_predicts_and_talks(tiny: Callable[[str], str], tmp_path: Path) -> None:
    folder, out = tiny("llava"), tmp_path / "answers.jsonl"
    asked = ["predict", folder, "--data", WORLD, "--out", str(out), "--max-new-tokens", "3"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert len(out.read_text().splitlines()) == 12
    talked = CliRunner().invoke(app, ["chat", folder, "What is it?", "--max-new-tokens", "3"])
    assert talked.exit_code == 0 and talked.stdout


REFUSED = {
    "a template": ({"template": "vicuna_v1"}, "is asked in its own form"),
    "a token budget": ({"max_tokens": 512, "micro": None}, "padded, not packed"),
    "a part it has not": ({"train": {"llm": 1e-4}}, "matches no parameter"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_settings_of_models_made_of_parts_are_refused(name: str, tiny: Callable[[str], str], tmp_path: Path) -> None:
    stage, complaint = REFUSED[name]
    with pytest.raises(InputError, match=complaint):
        tuned(tiny("llava"), tmp_path / "run", **stage)


def test_what_is_no_such_model_is_refused(tiny_language: str, tiny: Callable[[str], str]) -> None:
    from vistune.model.native.spec import NativeSpec
    from vistune.nano import nano

    with pytest.raises(InputError, match="tunes a model as it is"):
        nano(load_recipe("native"))
    with pytest.raises(InputError, match=r"which is no model that answers|cannot be read"):
        NativeModel(NativeSpec(native=tiny_language))
    with pytest.raises(InputError, match=r"has no key 'nativ'|needs the key"):
        NativeSpec.from_json({"nativ": tiny("llava")})
