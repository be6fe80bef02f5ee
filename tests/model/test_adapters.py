"""Adapters: inside their part only, learning, saved alone, loaded, and merged into the same logits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vistune.errors import InputError, MissingExtraError
from vistune.model.adapters.adapt import KINDS, adapter_parameters
from vistune.model.interchange.export import export
from vistune.model.interchange.merge import merge
from vistune.model.interchange.probe import probes
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load, read_config, save
from vistune.recipe import Recipe
from vistune.training.run import train
from vistune.training.selection import select

ARGUMENTS: dict[str, dict[str, Any]] = {"oft": {"block": 8}, "tokens": {}, "ia3": {}}
STAGE = {"name": "tune", "data": "world:?task=instructions&size=64", "batch": 4, "steps": 3, "warmup": 0.0}


def adapted(spec: dict[str, Any], kind: str, part: str = "llm", **more: Any) -> dict[str, Any]:
    return spec | {"adapt": {part: {"kind": kind} | ARGUMENTS.get(kind, {"rank": 4}) | more}}


def recipe(spec: dict[str, Any], train: dict[str, float]) -> Recipe:
    return Recipe.from_json({"name": "test", "model": spec, "stages": [STAGE | {"train": train}]})


@pytest.fixture(scope="module", params=[kind for kind in KINDS if kind not in ("prefix", "prompt")])
def trained(request: pytest.FixtureRequest, tiny_spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A kind, and a checkpoint whose adapters learned for a few steps."""
    spec = adapted(tiny_spec, request.param)
    stages = recipe(spec, {"llm.adapter": 1e-2, "connector": 1e-3})
    return request.param, train(stages, tmp_path_factory.mktemp(request.param) / "run", report=False)


def test_only_the_adapters_of_the_part_are_saved_and_all_of_them_learned(trained: Any, tiny_spec: dict[str, Any]) -> None:
    kind, folder = trained
    torch.manual_seed(0)
    fresh = dict(VisionLanguageModel(ModelSpec.from_json(adapted(tiny_spec, kind))).named_parameters())
    model = load(folder)
    names = adapter_parameters(model)
    assert read_config(folder)["parts"] == ["connector", "llm.adapter"]
    assert names and all(name.startswith("llm.") for name in names)
    for name, parameter in model.named_parameters():
        if name in names and ".oft_" not in name and "lora_A" not in name and "magnitude" not in name:
            assert not torch.equal(parameter, fresh[name]), name
        elif name not in names and not name.startswith("connector"):
            assert torch.equal(parameter, fresh[name]), name
    matrices = [parameter for name, parameter in model.named_parameters() if "lora_B" in name]
    assert all(parameter.abs().max() > 0 for parameter in matrices)
    assert bool(matrices) == (kind in ("lora", "dora", "rslora"))


def test_merging_keeps_the_logits(trained: Any, tmp_path: Path) -> None:
    kind, folder = trained
    assert merge(folder, tmp_path / "merged") <= 1e-5
    before, after = load(folder), load(tmp_path / "merged")
    assert after.spec.adapt == {} and adapter_parameters(after) == frozenset()
    for one, two in zip(before.logits(probes(before)), after.logits(probes(before)), strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=0)
    base = VisionLanguageModel(before.spec).eval().llm.embeddings
    if kind == "tokens":
        changed = (base != after.llm.embeddings).any(dim=1).nonzero().flatten().tolist()
        assert changed and set(changed) <= set(before.llm.added)


def test_a_model_is_compared_on_what_its_length_takes(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    """Two pictures, which the comparison shows where they fit, are more than this model reads."""
    base = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    longest = max(len(base.example(sample, base.renderer()).rendered) for sample in probes(base))
    spec = adapted(tiny_spec, "lora") | {"max_length": longest - 1, "codec": "decimals"}
    save(VisionLanguageModel(ModelSpec.from_json(spec)), tmp_path / "run", {"connector", "llm.adapter"})
    assert [sample.id for sample in probes(load(tmp_path / "run"))] == ["text", "one"]
    assert merge(tmp_path / "run", tmp_path / "merged") <= 1e-5
    assert export(load(tmp_path / "merged"), tmp_path / "hf") <= 1e-4  # written for transformers after the same comparison


def test_new_rows_learn_beside_lora_and_no_other_row_does(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    spec = adapted(tiny_spec, "lora", new_tokens=True)
    folder = train(recipe(spec, {"llm.adapter": 1e-2}), tmp_path / "run", report=False)
    merge(folder, tmp_path / "merged")
    before, after = VisionLanguageModel(ModelSpec.from_json(tiny_spec)), load(tmp_path / "merged")
    changed = (before.llm.embeddings != after.llm.embeddings).any(dim=1).nonzero().flatten().tolist()
    assert changed and set(changed) <= set(before.llm.added)


def test_adapters_of_the_tower_stay_in_the_tower(tiny_spec: dict[str, Any]) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(adapted(tiny_spec, "lora", "vision", targets=["q_proj", "v_proj"])))
    names = adapter_parameters(model)
    assert len(names) == 3 * 2 * 2 and all(name.startswith("vision.model.") and "lora" in name for name in names)


def test_adapters_change_nothing_before_they_learn(tiny_spec: dict[str, Any]) -> None:
    torch.manual_seed(0)
    base = VisionLanguageModel(ModelSpec.from_json(tiny_spec)).eval()
    text = probes(base)[:1]
    model = VisionLanguageModel(ModelSpec.from_json(adapted(tiny_spec, "lora"))).eval()
    assert all(torch.equal(one, two) for one, two in zip(base.logits(text), model.logits(text), strict=True))


@pytest.mark.parametrize(
    ("adapt", "complaint"),
    [
        ({"lm": "lora"}, "no part 'lm' of this model takes adapters"),
        ({"connector": "lora"}, "no part 'connector'"),
        ({"llm": "lorra"}, "has no kind 'lorra' \\(did you mean 'lora'\\?\\)"),
        ({"llm": {"kind": "lora", "r": 4}}, "adapt.llm.lora has no key 'r'"),
        ({"llm": {"kind": "lora", "targets": ["q_prj"]}}, "has no layer 'q_prj' \\(did you mean 'q_proj'\\?\\)"),
        ({"vision": "tokens"}, "no token was added"),
    ],
)
def test_a_wrong_adapter_is_one_sentence(tiny_spec: dict[str, Any], adapt: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"adapt": adapt}))


def test_there_must_be_something_to_merge(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    folder = train(recipe(tiny_spec, {"connector": 1e-3}), tmp_path / "run", report=False)
    with pytest.raises(InputError, match="has no adapters to merge"):
        merge(folder, tmp_path / "merged")


def test_a_part_that_should_have_learned_but_did_not_is_not_saved(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    stages = recipe(adapted(tiny_spec, "lora"), {"llm.adapter": 1e-50})  # too small a rate to change a number
    with pytest.raises(RuntimeError, match="llm should have been trained but did not change"):
        train(stages, tmp_path / "run", report=False)
    assert not (tmp_path / "run" / "tune").exists()


def test_four_bits_need_their_library(tiny_spec: dict[str, Any]) -> None:
    if importlib.util.find_spec("bitsandbytes") is not None:
        pytest.skip("bitsandbytes is installed")
    spec = adapted(tiny_spec, "lora") | {"llm": {"path": tiny_spec["llm"], "quantize": "nf4"}}
    with pytest.raises(MissingExtraError, match=r"pip install 'vistune\[qlora\]'"):
        VisionLanguageModel(ModelSpec.from_json(spec))
    with pytest.raises(InputError, match=r"model\.llm\.quantize is 'int3', expected one of 'nf4', 'fp4' or nothing"):
        VisionLanguageModel(ModelSpec.from_json(spec | {"llm": {"path": tiny_spec["llm"], "quantize": "int3"}}))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.bias"], lambda name: name.endswith(".bias")),
        (["llm.*norm*"], lambda name: name.startswith("llm.") and "norm" in name),
        (["*.bias", "*norm*"], lambda name: name.endswith(".bias") or "norm" in name),
        (["llm[1:]"], lambda name: ".layers.1." in name and name.startswith("llm.")),
    ],
)
def test_biases_norms_and_upper_blocks_alone_can_be_chosen(
    tiny_spec: dict[str, Any], patterns: list[str], expected: Callable[[str], bool]
) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    selection = select(model, dict.fromkeys(patterns, 1e-3), "stage")
    chosen = selection.names
    assert chosen == {name for name, _ in model.named_parameters() if expected(name)} != set()
    assert all(parameter.requires_grad for parameter in model.parameters())  # asking changes nothing
    selection.switch_on(model)
    assert chosen == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
