"""The formulas against what a step really holds, and plans of models that are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoTokenizer, CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaModel

from vistune.cli import app
from vistune.data.samples import read
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Recipe, Stage
from vistune.training.planning.memory import Micro, block_bytes, copies, memory
from vistune.training.planning.plan import Assumed, outlooks
from vistune.training.selection import select

TRAIN = {"connector": 1e-3, "llm": 1e-3}
STAGE = Stage(name="s", train=TRAIN, data="world", batch=8, micro=2)
GIB = 2**30


def held(tensors: list[torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def test_weights_gradients_and_optimizer_are_what_a_step_holds(tiny_spec: dict[str, Any]) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    selection = select(model, TRAIN, "test")
    selection.switch_on(model)
    groups = selection.groups
    optimizer = torch.optim.AdamW([parameter for group in groups.values() for parameter in group])
    sample = next(sample for sample in read("world:?task=instructions&size=4") if sample.media)
    model(pack([model.example(sample, model.renderer())]))["text"].sum.backward()
    optimizer.step()
    told = memory(model, STAGE, Micro(64, 16, 32), 1, False, "fp32")
    parameters = list(model.parameters())
    assert told.weights == held(parameters)
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    assert told.gradients == held([parameter.grad for parameter in trained if parameter.grad is not None])
    state = [value for entry in optimizer.state.values() for name, value in entry.items() if name != "step"]
    assert told.optimizer == held(state)


def test_cut_in_four_each_holds_a_quarter_and_the_layers_at_work(tiny_spec: dict[str, Any]) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    select(model, TRAIN, "test").switch_on(model)
    one, four = (memory(model, STAGE, Micro(64, 16, 32), count, True, "fp32") for count in (1, 4))
    gathered = copies(model, True, "fp32")
    assert four.weights - gathered == (one.weights - gathered) / 4
    assert (four.gradients, four.optimizer) == (one.gradients / 4, one.optimizer / 4)
    assert 0 < gathered < held(list(model.parameters()))


def _note(tensor: torch.Tensor, saved: list[torch.Tensor]) -> torch.Tensor:
    saved.append(tensor)
    return tensor


def kept(model: nn.Module, blocks: nn.ModuleList, precision: str, run: Any) -> float:
    """Bytes autograd keeps for one block: what all of them keep, less what two fewer keep, halved. Weights do not count."""
    found = []
    for _ in range(2):
        saved: list[torch.Tensor] = []  # all stay alive, so that each keeps its address
        with (
            torch.autograd.graph.saved_tensors_hooks(lambda tensor, saved=saved: _note(tensor, saved), lambda tensor: tensor),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"),
        ):
            _alive = run(model)
        storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in saved}
        weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        found.append(sum(size for place, size in storages.items() if place not in weights))
        del blocks[2:]
        model.config.num_hidden_layers = 2
    copied = 2 * sum(parameter.numel() for parameter in blocks[0].parameters() if parameter.dim() > 1)
    return (found[0] - found[1]) / 2 - (copied if precision == "bf16" else 0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_blocks_keep_what_the_formula_says(precision: Any) -> None:
    shape = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4}
    llama = LlamaModel(LlamaConfig(**shape, intermediate_size=352, num_key_value_heads=2, vocab_size=50))
    clip = CLIPVisionModel(CLIPVisionConfig(**shape, intermediate_size=512, image_size=128, patch_size=8))
    tower = max((module for module in clip.modules() if isinstance(module, nn.ModuleList)), key=len)
    row, pixels = torch.randn(1, 256, 128, requires_grad=True), torch.randn(1, 3, 128, 128)
    cases = [
        (llama, llama.layers, 256, lambda model: model(inputs_embeds=row, use_cache=False)),
        (clip, tower, 257, lambda model: model(pixels)),
    ]
    for model, blocks, tokens, run in cases:
        told = tokens * block_bytes(blocks[0], precision)
        assert told == pytest.approx(kept(model, blocks, precision, run), rel=0.15)


@pytest.fixture
def seven_billion(tiny_language: str, tiny_clip: str, tmp_path: Path) -> Recipe:
    """LLaVA-1.5's language model as a configuration and a tokenizer, without weights."""
    LlamaConfig(max_position_embeddings=4096).save_pretrained(tmp_path / "llama")
    AutoTokenizer.from_pretrained(tiny_language).save_pretrained(tmp_path / "llama")
    model = {
        "llm": str(tmp_path / "llama"),
        "vision": {"kind": "huggingface", "path": tiny_clip},
        "connector": {"kind": "mlp", "depth": 2},
    }
    stage = {"name": "tune", "train": TRAIN, "data": "world", "batch": 128, "micro": 4}
    return Recipe.from_json({"name": "seven", "model": model, "stages": [stage]})


def test_a_model_of_seven_billion_is_planned_from_its_configuration(seven_billion: Recipe) -> None:
    assumed = Assumed(peak=989e12, words=1024, answers=512)
    whole, cut = (outlooks(seven_billion, 8, sharded, "bf16", assumed)[0] for sharded in (False, True))
    language = 6_738_415_616  # Llama 2, 7B
    assert 0 < whole.trained - language < 20e6
    assert whole.memory.gradients + whole.memory.optimizer == 12 * whole.trained
    assert cut.memory.optimizer == whole.memory.optimizer / 8
    assert whole.memory.total > 80 * GIB > cut.memory.total  # fits an H100 only when cut
    assert whole.flops == cut.flops == pytest.approx(6 * language * whole.tokens, rel=0.1)
    recomputed = outlooks(seven_billion.override({"stages.0.recompute": ["llm"]}), 8, True, "bf16", assumed)[0]
    assert recomputed.memory.activations < cut.memory.activations / 5
    assert recomputed.flops == cut.flops


def test_the_command_prints_a_table_and_json_and_refuses_what_it_cannot_plan(
    seven_billion: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vistune.errors import InputError

    (tmp_path / "run.yaml").write_text(seven_billion.to_yaml())
    plan = ["plan", str(tmp_path / "run.yaml"), "--gpus", "8"]
    app([*plan, "--json"], standalone_mode=False)
    record = json.loads(capsys.readouterr().out)[0]
    assert record["stage"] == "tune" and record["trained"] > 6.7e9
    app([*plan, "--gpu", "A100"], standalone_mode=False)
    table = capsys.readouterr().out
    assert "8 x A100" in table and "tokens a second" in table
    seconds = 989 / 312 * record["seconds"]  # the same work on slower devices
    assert f"{seconds:,.3g}" in next(line for line in table.splitlines() if line.startswith("seconds a step"))
    for wrong, complaint in [
        (["--gpu", "Z9"], "the peak of 'Z9'"),
        (["--precision", "fp32"], "in fp32 is not known"),
        (["--words", "9999"], "is over max_length"),
        (["--peak", "0"], "--peak 0: expected a number"),
        (["--peak", "nan"], "--peak nan: expected a number"),
        (["--words", "10", "--answers", "11"], "at most all are supervised"),
        (["--gpus", "999"], "batch is 128, expected at least 999"),
    ]:
        with pytest.raises(InputError, match=complaint):
            app([*plan, *wrong], standalone_mode=False)
