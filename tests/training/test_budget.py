"""A recipe's token budget, counted without its weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from vistune.data.check.run import check
from vistune.recipe import load_recipe
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.planning.budget import budget_of_recipe, model_without_memory


class Held(list[Sample]):
    """A list of samples is `Samples`."""


def asked(text: str) -> Sample:
    image = Media("image", data=np.zeros((9, 9, 3), np.uint8))
    turns = (Turn("user", (MediaRef(0), Text(text))), Turn("assistant", (Text("A red bus."),)))
    return Sample(str(len(text)), (image,), turns)


def test_samples_over_a_recipes_budget_are_found(tmp_path: Path, tiny_language: str, tiny_clip: str) -> None:
    recipe = load_recipe("llava_1_5").to_json()
    recipe["model"] |= {"llm": tiny_language, "vision": {"kind": "huggingface", "path": tiny_clip}, "max_length": 120}
    (tmp_path / "run.yaml").write_text(json.dumps(recipe))
    budget = budget_of_recipe(str(tmp_path / "run.yaml"))
    short, long = asked("What is it?"), asked("What is it? " * 30)
    assert 16 < budget.count(short) <= 120 < budget.count(long)
    findings = []
    report = check(Held([short, long]), budget=budget, emit=findings.append)
    assert report.counts["too_long"] == 1
    assert [(f.index, f.reason) for f in findings if f.problem] == [(1, "too_long")]
    assert f"takes {budget.count(long)} tokens, but the budget is 120" in findings[0].detail


def test_a_model_taken_whole_counts_through_its_own_processor(tmp_path: Path) -> None:
    """Qwen2-VL refuses pictures narrower than 1:200, which training met in the middle of a run."""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "native"))
    from native_families import build

    folder = build("qwen2_vl", tmp_path / "qwen")
    budget = budget_of_recipe("native", changes={"model.native": str(folder)})
    thin = Media("image", data=np.zeros((4, 910, 3), np.uint8))
    turns = asked("What is it?").turns
    findings = []
    report = check(Held([asked("What is it?"), Sample("thin", (thin,), turns)]), budget=budget, emit=findings.append)
    assert report.counts["refused"] == 1 and not report.counts["too_long"]
    assert "aspect ratio" in next(finding.detail for finding in findings if finding.reason == "refused")


def test_the_model_takes_no_memory(tmp_path: Path, tiny_language: str, tiny_clip: str) -> None:
    recipe = load_recipe("llava_1_5").to_json()
    recipe["model"] |= {"llm": tiny_language, "vision": {"kind": "huggingface", "path": tiny_clip}}
    (tmp_path / "run.yaml").write_text(json.dumps(recipe))
    model = model_without_memory(str(tmp_path / "run.yaml"))
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
