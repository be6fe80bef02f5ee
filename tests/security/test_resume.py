"""A run goes on only from what it began with: weights, precision, versions, every picture; and only from a state of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from vistune.data.manifest import mark
from vistune.errors import InputError, Interrupted
from vistune.recipe import Recipe
from vistune.training import run
from vistune.training.log import Log


@pytest.fixture
def begun(tiny_spec: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A run of three steps over three pictures that was stopped before its checkpoint, and that goes on when called again."""
    shutil.copytree(tiny_spec["llm"], tmp_path / "llm")
    for number in range(3):
        pixels = np.full((16, 16, 3), 60 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    rows = [{"id": f"{n}", "image": f"{n}.png", "question": "What?", "answer": "red"} for n in range(3)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    data = f"qa:{tmp_path}/rows.json?images={tmp_path}"
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": data, "batch": 2, "steps": 3}
    recipe = Recipe.from_json({"name": "x", "model": tiny_spec | {"llm": str(tmp_path / "llm")}, "stages": [stage]})
    with monkeypatch.context() as patch:
        patch.setattr(Log, "close", lambda log: (_ for _ in ()).throw(Interrupted("stopped")))
        with pytest.raises(Interrupted):
            run.train(recipe, tmp_path / "out", precision="fp32", save_every=1, report=False)

    def again(**changes: Any) -> Path:
        return run.train(recipe, tmp_path / "out", **({"precision": "fp32", "report": False} | changes))

    return again


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "manifest.json").read_text())
    return found


def test_other_weights_and_another_precision_are_refused(begun: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the precision of the run: fp32, now bf16: .* say --accept precision to go on"):
        begun(precision="bf16")
    file = tmp_path / "llm" / "model.safetensors"
    weights = load_file(file)
    changed = {name: tensor + 1e-3 * torch.ones_like(tensor) for name, tensor in weights.items()}
    save_file(changed, file, metadata={"format": "pt"})
    with pytest.raises(InputError, match="the weights, of which backbones are part, of the run: "):
        begun()
    save_file(weights, file, metadata={"format": "pt"})
    assert (begun() / "vistune.yaml").exists()


def test_a_replaced_picture_is_named_and_can_be_accepted(begun: Callable[..., Path], tmp_path: Path) -> None:
    whole = (tmp_path / "1.png").read_bytes()
    other = whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]
    assert len(other) == len(whole)  # the name and the size are what they were
    (tmp_path / "1.png").write_bytes(other)
    with pytest.raises(InputError, match=r"1\.png of stage 's' .* say --accept data"):
        begun()
    with pytest.raises(InputError, match="1\\.png"):
        begun(accept=["weights", "versions"])
    (tmp_path / "1.png").write_bytes(whole)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "1.png")
    assert (begun(accept=["data"]) / "vistune.yaml").exists()
    (told,) = manifest(tmp_path)["accepted"]
    assert "1.png" in told


def test_other_versions_are_named_and_can_be_accepted(begun: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "out" / "manifest.json"
    kept = manifest(tmp_path)
    file.write_text(json.dumps(kept | {"versions": kept["versions"] | {"torch": "1.0", "numpy": "1.0"}}))
    with pytest.raises(InputError, match=r"torch 1\.0, now .*; numpy 1\.0, now .* say --accept versions"):
        begun()
    assert (begun(accept=["versions"]) / "vistune.yaml").exists()
    assert len(manifest(tmp_path)["accepted"]) == 2 and manifest(tmp_path)["versions"] == kept["versions"]


def test_what_may_be_accepted_has_a_name(begun: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"accept names 'dat' \(did you mean 'data'"):
        begun(accept=["dat"])


def test_a_manifest_that_is_none_is_refused(begun: Callable[..., Path], tmp_path: Path) -> None:
    for wrong in ("", "{}", "[]", '{"stages": [{}]}', '{"stages": 3}'):
        (tmp_path / "out" / "manifest.json").write_text(wrong)
        with pytest.raises(InputError, match=r"manifest\.json"):
            begun()


def forge_step(state: dict[str, Any]) -> None:
    state["step"] = 1


def forge_stage(state: dict[str, Any]) -> None:
    state["of"] = "0" * 64


def forge_moment(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][0]["exp_avg"][:] = float("nan")


def forge_shape(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3)


def forge_number(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][99] = state["optimizer"]["state"].pop(0)


def forge_key(state: dict[str, Any]) -> None:
    del state["rng"]


def test_a_forged_state_is_refused(begun: Callable[..., Path], tmp_path: Path) -> None:
    before, folder = sorted((tmp_path / "out" / "state" / "s").iterdir())[-2:]
    whole = (folder / "training.pt").read_bytes()
    for forge in (forge_step, forge_stage, forge_moment, forge_shape, forge_number, forge_key):
        (folder / "training.pt").write_bytes(whole)
        state = torch.load(folder / "training.pt", weights_only=True)
        forge(state)
        torch.save(state, folder / "training.pt")
        with pytest.raises(InputError, match=r"remove .* to resume from the state before it"):
            begun()
    (folder / "training.pt").write_bytes(whole)
    shutil.copy(before / "model.safetensors", folder / "model.safetensors")
    with pytest.raises(InputError, match="is not what was saved with"):
        begun()
    shutil.rmtree(folder)
    assert (begun() / "vistune.yaml").exists()


def test_a_mark_tells_files_apart_at_both_ends(tmp_path: Path) -> None:
    whole = bytes(300_000)
    (tmp_path / "a").write_bytes(whole)
    first = mark(str(tmp_path / "a"))
    for place in (0, 100, 299_999):
        (tmp_path / "a").write_bytes(whole[:place] + b"x" + whole[place + 1 :])
        assert mark(str(tmp_path / "a")) != first
    (tmp_path / "a").write_bytes(whole + b"\0")
    assert mark(str(tmp_path / "a")) != first and len(mark(str(tmp_path / "gone"))) == 8
