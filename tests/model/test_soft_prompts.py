"""Prefix and prompt tuning: what `peft` gives for each sample alone; learned, saved, loaded, refused elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers as hf
from families import decoder

from vistune.errors import InputError
from vistune.model.adapters.adapt import KINDS, adapt, adapter_parameters
from vistune.model.adapters.soft_prompts import SoftPrompt
from vistune.model.interchange.export import export
from vistune.model.interchange.merge import merge
from vistune.model.interchange.probe import probes
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load, read_config
from vistune.recipe import Recipe
from vistune.training.run import train

LENGTHS = (9, 5, 9)
SPECS: dict[str, dict[str, Any]] = {
    "prefix": {"kind": "prefix", "length": 4},
    "projected": {"kind": "prefix", "length": 4, "projection": True, "hidden": 12},
    "prompt": {"kind": "prompt", "length": 4},
}


@pytest.fixture(scope="module", params=["llama", "qwen3", "gpt_neox"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return decoder(request.param, tmp_path_factory.mktemp(request.param))


def pair(folder: str, name: str) -> tuple[LanguageModel, Any]:
    """Ours and `peft`'s, with the same weights in front of the same model."""
    torch.manual_seed(1)
    model = LanguageModel(folder)
    adapt({"llm": model}, {"llm": SPECS[name]})
    assert isinstance(model.prompt, SoftPrompt)
    base = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    common = {"task_type": "CAUSAL_LM", "num_virtual_tokens": 4}
    if name == "prompt":
        config: Any = peft.PromptTuningConfig(**common)
    else:
        config = peft.PrefixTuningConfig(**common, prefix_projection=name == "projected", encoder_hidden_size=12)
    theirs = peft.get_peft_model(base, config)
    theirs.prompt_encoder["default"].load_state_dict(model.prompt.encoder.state_dict())
    return model.eval(), theirs.eval()


def rows(vocabulary: int) -> list[torch.Tensor]:
    torch.manual_seed(2)
    return [torch.randint(3, vocabulary, (length,)) for length in LENGTHS]


def packed(model: LanguageModel, ids: list[torch.Tensor]) -> Inputs:
    return Inputs(model.embed(torch.cat(ids)), torch.cat([torch.arange(len(row)) for row in ids]), LENGTHS)


@pytest.mark.parametrize("name", SPECS)
def test_logits_in_a_packed_row_are_those_of_peft(folder: str, name: str) -> None:
    model, theirs = pair(folder, name)
    ids = rows(len(model.tokenizer))
    skip = 4 if name == "prompt" else 0
    with torch.no_grad():
        expected = torch.cat([theirs(input_ids=row[None]).logits[0, skip:] for row in ids])
        got = model.logits(model(packed(model, ids)))
        base = model.logits(LanguageModel(folder).eval()(packed(model, ids)))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
    assert (got - base).abs().max() > 1e-3


@pytest.mark.parametrize("name", SPECS)
def test_what_is_generated_is_what_the_logits_say(folder: str, name: str) -> None:
    """Token by token from a padded batch with a cache, as by whole packed rows."""
    model, _ = pair(folder, name)
    ids = rows(len(model.tokenizer))
    texts = model.generate(packed(model, ids), 3)
    for text, row in zip(texts, ids, strict=True):
        grown = row
        for _ in range(3):
            inputs = Inputs(model.embed(grown), torch.arange(len(grown)), (len(grown),))
            with torch.no_grad():
                grown = torch.cat([grown, model.logits(model(inputs))[-1].argmax()[None]])
        assert text == model.tokenizer.decode(grown[len(row) :].tolist()).split("</s>")[0].strip()


@pytest.mark.parametrize("name", SPECS)
def test_it_alone_learns_and_is_saved_and_loaded(tiny_spec: dict[str, Any], tmp_path: Path, name: str) -> None:
    spec = tiny_spec | {"adapt": {"llm": SPECS[name]}}
    stage = {"name": "tune", "data": "world:?task=instructions&size=16", "batch": 4, "steps": 2, "warmup": 0.0}
    record = {"name": "test", "model": spec, "stages": [stage | {"train": {"llm.adapter": 1e-2}}]}
    folder = train(Recipe.from_json(record), tmp_path / "run", report=False)
    model = load(folder)
    torch.manual_seed(0)  # the recipe's seed
    fresh = VisionLanguageModel(ModelSpec.from_json(spec))
    names = adapter_parameters(model)
    assert names == {name for name, _ in model.named_parameters() if name.startswith("llm.prompt.encoder.")} != set()
    assert read_config(folder)["parts"] == ["connector", "llm.adapter"]
    before = dict(fresh.named_parameters())
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == names
    for one, two in zip(model.logits(probes(model)), fresh.eval().logits(probes(model)), strict=True):
        assert one.shape == two.shape and not torch.equal(one, two)
    assert len(model.generate(probes(model), max_new_tokens=2)) == len(probes(model))
    with pytest.raises(InputError, match="is no change of weights and cannot be merged"):
        merge(folder, tmp_path / "merged")
    with pytest.raises(InputError, match="has a prompt or prefix"):
        export(model, tmp_path / "out")


def test_a_prompt_starts_as_the_words_it_is_given(folder: str) -> None:
    model = LanguageModel(folder)
    words = model.tokenizer("A red bus.")["input_ids"]
    adapt({"llm": model}, {"llm": {"kind": "prompt", "length": len(words) + 1, "text": "A red bus."}})
    assert model.prompt is not None
    assert torch.equal(model.prompt.encoder.embedding.weight, model.embeddings[[*words, words[0]]])


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
def test_other_parts_are_refused(tiny_spec: dict[str, Any], kind: str) -> None:
    assert kind in KINDS
    with pytest.raises(InputError, match=f"{kind} works on a causal language model only"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"adapt": {"vision": kind}}))
    with pytest.raises(InputError, match="no part 'connector' of this model takes adapters"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"adapt": {"connector": kind}}))
