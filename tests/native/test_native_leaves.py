"""A model tuned whole leaves: adapters folded, the directory that `transformers` loads, opened here as any other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from native_families import FAMILIES
from typer.testing import CliRunner

import vistune
from vistune.cli import app
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.recipe import load_recipe
from vistune.training.run import train

WORLD = "world:?task=colour&size=8"
ALONE = """
import sys, torch
from transformers import AutoModelForImageTextToText
assert "vistune" not in sys.modules
model, report = AutoModelForImageTextToText.from_pretrained(sys.argv[1], output_loading_info=True)
assert not report["missing_keys"] and not report["unexpected_keys"], report
print(sum(float(p.detach().double().sum()) for p in model.parameters()))
"""


def tuned(folder: str, out: Path) -> Path:
    settings = {"model.native": folder, "stages.0.steps": 2, "stages.0.batch": 4, "stages.0.micro": 2, "stages.0.data": WORLD}
    settings |= {"stages.0.train": {"native.adapter": 1e-2}}
    settings |= {f"model.{key}": value for key, value in spoken(Path(folder).name).items()}
    train(load_recipe("native").override(settings), out, precision="fp32", report=False)
    return out


def spoken(family: str) -> dict[str, str]:
    """How boxes are written: the tiny Florence-2 lacks the places that its family's codec writes."""
    return {"codec": "decimals"} if family == "florence2" else {}


def said(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


OFTEN = {"qwen2_vl", "llava", "paligemma2", "blip2_t5", "molmo2"}


@pytest.mark.parametrize("family", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in FAMILIES])
def test_what_was_tuned_whole_is_merged_exported_and_answers_alike(
    family: str, tiny: Callable[[str], str], tmp_path: Path
) -> None:
    run = tuned(tiny(family), tmp_path / "run")
    assert "largest logit difference" in said("merge", run, "--out", tmp_path / "merged")
    told = said("export", tmp_path / "merged", "--out", tmp_path / "hf")
    assert "largest logit difference to transformers: 0" in told
    samples = list(vistune.read(WORLD))
    exported = NativeModel(NativeSpec(native=str(tmp_path / "hf"), **spoken(family)))
    models = [vistune.load(run), vistune.load(tmp_path / "merged"), exported.eval()]
    logits = [model.logits(samples[:2]) for model in models]
    start = NativeModel(NativeSpec(native=tiny(family), **spoken(family))).eval().logits(samples[:2])
    for sample in range(2):
        assert torch.allclose(logits[0][sample], logits[1][sample], atol=1e-4)
        assert torch.equal(logits[1][sample], logits[2][sample])
        assert (logits[2][sample] - start[sample]).abs().max() > 1e-3, "what was learnt has left with the weights"
    out = tmp_path / "answers.jsonl"
    told_more = tmp_path / "hf.yaml"
    told_more.write_text(json.dumps({"native": str(tmp_path / "hf"), **spoken(family)}))
    asked = f"native:{told_more}" if spoken(family) else tmp_path / "hf"
    said("predict", asked, "--data", WORLD, "--out", out, "--max-new-tokens", "3")
    assert len(out.read_text().splitlines()) == len(samples)


def test_the_directory_needs_nothing_of_ours(tiny: Callable[[str], str], tmp_path: Path) -> None:
    run = tuned(tiny("qwen2_vl"), tmp_path / "run")
    said("push", run, "--to", tmp_path / "shared")
    command = [sys.executable, "-c", ALONE, str(tmp_path / "shared")]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    said("merge", run, "--out", tmp_path / "merged")
    model = vistune.load(tmp_path / "merged")
    assert isinstance(model, NativeModel)
    total = sum(float(parameter.detach().double().sum()) for parameter in model.parameters())
    assert float(done.stdout) == pytest.approx(total, rel=1e-6)


def test_adapters_are_folded_first(tiny: Callable[[str], str], tmp_path: Path) -> None:
    run = tuned(tiny("llava"), tmp_path / "run")
    done = CliRunner().invoke(app, ["export", str(run), "--out", str(tmp_path / "hf")])
    assert "has adapters: `vistune merge` it first" in str(done.exception) and not (tmp_path / "hf").exists()
