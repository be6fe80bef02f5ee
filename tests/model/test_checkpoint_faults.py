"""A checkpoint that is not whole, or not ours to read, is one sentence; nothing is loaded halfway."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from vistune.errors import InputError
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load, save


@pytest.fixture
def folder(tiny_spec: dict[str, Any], tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), tmp_path / "model", {"connector"})
    return tmp_path / "model"


def record(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = yaml.safe_load((folder / "vistune.yaml").read_text())
    change(content)
    (folder / "vistune.yaml").write_text(yaml.safe_dump(content))


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-64])


def missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def other(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["connector.layers.9.weight"] = weights.pop("connector.layers.0.weight")
    save_file(weights, file)


def future(folder: Path) -> None:
    record(folder, lambda content: content.update(format=2))


def unknown(folder: Path) -> None:
    record(folder, lambda content: content["model"].update(conector="mlp"))


def outside(folder: Path) -> None:
    record(folder, lambda content: content["model"].update(llm="checkpoint:../elsewhere"))


def code(folder: Path) -> None:
    (folder / "vistune.yaml").write_text("!!python/object/apply:pathlib.Path.touch [EXECUTED]")


def program(folder: Path) -> None:
    record(folder, lambda content: content["model"].update(codec={"kind": "subprocess:Popen", "args": ["touch", "EXECUTED"]}))


def no_parts(folder: Path) -> None:
    record(folder, lambda content: content.update(parts=None))


def no_model(folder: Path) -> None:
    record(folder, lambda content: content.update(model="llava"))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (cut, "is broken or cut short"),
        (missing, "model.safetensors is missing"),
        (other, "it belongs to another model"),
        (future, "has format 2; this version of vistune reads format 1"),
        (unknown, "has no key 'conector' \\(did you mean 'connector'\\?\\)"),
        (outside, "leads out of the checkpoint"),
        (code, "vistune.yaml"),
        (program, "kind 'subprocess:Popen' is no Codec"),
        (no_parts, "needs a list of names as 'parts'"),
        (no_model, "a mapping as 'model'"),
    ],
)
def test_a_damaged_checkpoint_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], complaint: str
) -> None:
    monkeypatch.chdir(folder.parent)
    damage(folder)
    with pytest.raises(InputError, match=complaint) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
