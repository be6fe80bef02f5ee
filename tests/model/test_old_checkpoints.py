"""Checkpoints written before open, with the numbers they had; one on replaced shipped weights says where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

import vistune
from vistune.errors import InputError
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights import checkpoint, shipped

RECORD = json.loads((Path(__file__).parent.parent / "golden" / "old_checkpoint.json").read_text())


def filled(name: str, shape: list[int]) -> torch.Tensor:
    places = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (0.1 * torch.sin(places * 0.37 + len(name))).view(shape).float()


def written(folder: Path, config: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "vistune.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    weights = {name: filled(name, shape) for name, shape in RECORD["tensors"].items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_a_checkpoint_of_before_opens_and_answers_as_it_did(tmp_path: Path) -> None:
    if any(shipped.digest(name) != before for name, before in shipped.FIRST.items()):
        pytest.skip("the weights it stands on were replaced")
    model = vistune.load(written(tmp_path / "old", RECORD["config"]))
    assert isinstance(model, VisionLanguageModel)
    samples = list(vistune.read(RECORD["samples"]))
    for got, expected, total in zip(model.logits(samples), RECORD["logits"], RECORD["sums"], strict=True):
        torch.testing.assert_close(got[-1, :6], torch.tensor(expected), atol=2e-3, rtol=1e-3)
        assert float(got.double().sum()) == pytest.approx(total, rel=1e-4)
    assert model.generate(samples, max_new_tokens=8) == RECORD["answers"]


def test_one_whose_shipped_weights_were_replaced_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path / "old", RECORD["config"])
    monkeypatch.setattr(shipped, "digest", lambda name: "0" * 64 if name == "clip" else shipped.FIRST[name])
    sentence = (
        "trained on weights of builtin:clip that this version replaced: they are in revision e4cf89e, under vistune/world"
    )
    with pytest.raises(InputError, match=sentence):
        vistune.load(folder)
    again = tmp_path / "clip"
    again.symlink_to(Path(vistune.__file__).parent / "world" / "nano" / "clip")
    config = json.loads(json.dumps(RECORD["config"]).replace("builtin:clip", str(again)))
    assert vistune.load(written(tmp_path / "mended", config)).spec.vision["path"] == str(again)  # type: ignore[index, call-overload, union-attr]


def test_what_a_checkpoint_stands_on_is_recorded_and_what_it_holds_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = checkpoint.load(written(tmp_path / "old", RECORD["config"] | {"shipped": {}}))
    checkpoint.save(model, tmp_path / "new", {"connector", "vision", "llm"})
    kept = yaml.safe_load((tmp_path / "new" / "vistune.yaml").read_text())["shipped"]
    assert kept == {name: shipped.digest(name) for name in ("clip", "language")}
    monkeypatch.setattr(shipped, "digest", lambda name: "0" * 64)
    assert checkpoint.read_config(tmp_path / "new")["shipped"] == kept  # all its weights lie in the checkpoint itself
    checkpoint.save(model, tmp_path / "other", {"connector", "llm.adapter"})
    monkeypatch.setattr(shipped, "digest", lambda name: "1" * 64)
    with pytest.raises(
        InputError, match=r"builtin:language that this version replaced: another version has them .SHA-256 0000"
    ):
        checkpoint.read_config(tmp_path / "other")
