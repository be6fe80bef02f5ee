"""Tiny random checkpoints in official names and shapes, read by layout; what does not fit is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_calls import called

from vistune.errors import InputError
from vistune.model.interchange.formats.keymap import origin, prefixed
from vistune.model.interchange.formats.layout import LAYOUTS, import_official, recognised
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load
from vistune.nano import nano
from vistune.recipe import load_recipe


def official(name: str) -> tuple[ModelSpec, dict[str, torch.Tensor], dict[str, str]]:
    """The spec of a tiny model, random tensors by the published names, and which of ours each becomes."""
    spec = nano(load_recipe(name)).model
    assert isinstance(spec, ModelSpec)
    torch.manual_seed(0)
    model = VisionLanguageModel(spec)
    theirs: dict[str, torch.Tensor] = {}
    becomes: dict[str, str] = {}
    drawn: dict[int, torch.Tensor] = {}  # tied weights are one
    for part, names in LAYOUTS[name].names(model).items():
        those = prefixed(f"{part}.", "", names)
        for ours, tensor in model.state_dict().items():
            found = origin(ours, those) if ours.split(".")[0] == part else None
            if found is not None and len(found.names) == 1:
                made = drawn.setdefault(tensor.data_ptr(), torch.randn_like(tensor.float()) * 0.1)
                theirs[found.names[0]] = made
                becomes[found.names[0]] = ours
    return spec, theirs, becomes


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_an_official_checkpoint_is_recognised_and_read_whole(name: str, tmp_path: Path) -> None:
    spec, theirs, becomes = official(name)
    source = tmp_path / "files"
    source.mkdir()
    kept: dict[str, Any] = {"model": theirs | {LAYOUTS[name].ignored[0].replace("*", "x"): torch.ones(1)}, "epoch": 3}
    torch.save(kept, source / "checkpoint.pth")
    assert recognised(source) == name
    import_official(source, tmp_path / "out", name, spec)
    state = load(tmp_path / "out").state_dict()
    for key, ours in becomes.items():
        assert torch.equal(state[ours], theirs[key].reshape(state[ours].shape)), ours


def test_what_does_not_fit_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    spec, theirs, _ = official("honeybee")
    file, out = tmp_path / "abstractor.pth", tmp_path / "out"
    torch.save({key: tensor for key, tensor in theirs.items() if key != "abstractor.readout.0.bias"}, file)
    with pytest.raises(InputError, match=r"lacks the tensor 'abstractor.readout.0.bias'"):
        import_official(file, out, "honeybee", spec)
    torch.save(theirs | {"abstractor.extra": torch.ones(1)}, file)
    with pytest.raises(InputError, match=r"'abstractor.extra' of .* belongs to no part"):
        import_official(file, out, "honeybee", spec)
    with pytest.raises(InputError, match=r"there is no layout 'honeybe' \(did you mean 'honeybee'"):
        import_official(file, out, "honeybe", spec)
    assert not out.exists()


def test_the_command_finds_the_layout_and_says_what_it_did(tmp_path: Path) -> None:
    """As a user types it: sizes that differ from the recipe's are set, what does not fit ends in one sentence."""
    _, theirs, _ = official("bliva")
    file = tmp_path / "bliva.pth"
    torch.save(theirs, file)
    made = nano(load_recipe("bliva")).to_json()["model"]
    given = [f"--set=model.{key}={json.dumps(made[key])}" for key in ("llm", "vision", "connector", "codec")]
    command = ["import", str(file), "--out", str(tmp_path / "out")]
    done = called(*command, *given)
    assert done.returncode == 0, done.stderr
    assert "read by the key map of bliva" in done.stdout and (tmp_path / "out" / "model.safetensors").is_file()
    done = called(*command, "--layout", "blivia", *given)
    assert done.returncode == 2 and "did you mean 'lisa'" not in done.stderr and len(done.stderr.strip().splitlines()) == 1
