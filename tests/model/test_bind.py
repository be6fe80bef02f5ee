"""Any modality as one gated prompt: the numbers of ImageBind-LLM, and what its fusion promises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from families import decoder
from mechanisms import Golden, close
from safetensors.torch import save_file
from test_hooks import halves, llama
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.adapters.scale_and_bias import tune_scale_and_bias
from vistune.model.connectors.base import TextContext
from vistune.model.connectors.neighbour_cache import NeighbourCache
from vistune.model.connectors.unit_linear import UnitLinear
from vistune.model.features import Features
from vistune.model.fusion.bind_attention import BindAttention
from vistune.model.interchange.formats import imagebind_llm
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import Hooks, Run
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot


class Blocks:
    """As much of a language model as `install` asks for."""

    def __init__(self, model: nn.Module, width: int, heads: int) -> None:
        self.blocks: Any = model.model.layers  # type: ignore[union-attr]
        self.hooks = Hooks(self.blocks)
        self.width = self.hidden_width = width
        self.heads = heads


def recorded() -> tuple[Golden, nn.Module, Blocks, BindAttention, UnitLinear]:
    """The recorded language model, LoRA folded in and biases put around its layers."""
    golden = Golden("imagebind_llm")
    model = llama(24, 3, 64, 3, 40)
    around = Blocks(model, 24, 3)
    tuned = tune_scale_and_bias(around.hooks, scale=False)
    state = {
        "model.embed_tokens.weight": golden["param/llama.tok_embeddings.weight"],
        "model.norm.weight": golden["param/llama.norm.weight"],
        "lm_head.weight": golden["param/llama.output.weight"],
    }
    names = {"self_attn.q_proj": "attention.wq", "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv"}
    names |= {"self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1"}
    names |= {"mlp.down_proj": "feed_forward.w2", "mlp.up_proj": "feed_forward.w3"}
    for layer in range(3):
        theirs = f"param/llama.layers.{layer}."
        for ours, name in names.items():
            low = f"{theirs}{name.replace('.', '.lora_')}"
            weight, added = golden[f"{theirs}{name}.weight"], golden[f"{low}_l2.weight"] @ golden[f"{low}_l1.weight"]
            rotated = name in ("attention.wq", "attention.wk")
            if name == "attention.wv":  # in the published code LoRA acts on the values of the text, not on the prompt's
                around.hooks.route(layer, ours, partial(values_of_text, added))
            else:
                weight = weight + added
            state[f"model.layers.{layer}.{ours}.weight"] = halves(weight, 3) if rotated else weight
            bias = golden.tensors.get(f"{theirs}{name}.bias")
            if bias is not None:
                tuned[layer][ours.replace(".", "_")].bias.data = halves(bias[:, None], 3)[:, 0] if rotated else bias
        state[f"model.layers.{layer}.input_layernorm.weight"] = golden[f"{theirs}attention_norm.weight"]
        state[f"model.layers.{layer}.post_attention_layernorm.weight"] = golden[f"{theirs}ffn_norm.weight"]
    model.load_state_dict(state)
    fusion = BindAttention(expansion=2, layers=2, weights={"video": 1.0, "audio": 0.5})
    fusion.install(around)  # type: ignore[arg-type]
    golden.load(fusion, imagebind_llm.fusion(3, 2), ("*",))
    linear = UnitLinear(10, 24)
    golden.load(linear, imagebind_llm.CONNECTOR, ("*",))
    return golden, model, around, fusion, linear


def values_of_text(added: Tensor, base: Callable[[Tensor], Tensor], x: Tensor, run: Run) -> Tensor:
    return base(x) if x.shape[1] == 1 else base(x) + x @ added.T


def prompts(fusion: BindAttention, tokens: dict[str, list[Tensor]], samples: int = 2) -> Inputs:
    """Each sample shows one medium of every kind."""
    slots = {kind: [Slot(which, 6 * which, 0) for which in range(samples)] for kind in tokens}
    text = Inputs(torch.zeros(6 * samples, 24), torch.arange(6).repeat(samples), (6,) * samples)
    return fusion.prepare(text, tokens, slots)


@torch.no_grad()
def test_bound_modalities_and_gated_values_are_imagebind_llms() -> None:
    golden, model, around, fusion, linear = recorded()

    def tokens(x: Tensor) -> list[Tensor]:
        return list(linear(Features(x[:, None])))

    vision, audio = tokens(golden["in/vision"]), tokens(golden["in/audio"])
    inputs = prompts(fusion, {"image": vision})
    assert inputs.context is not None and inputs.sees is not None
    close(inputs.context[:2], golden["out/feat_image"], 3e-5, 3e-4)
    both = prompts(fusion, {"video": vision, "audio": audio}).context
    assert both is not None
    close(both[:2], golden["out/feat_two_modalities"], 3e-5, 3e-4)
    around.hooks.run = Run(2, context=inputs.context, sees=inputs.sees.view(2, 6, 2))
    close(model(golden["in/tokens"]).logits, golden["out/logits"], 3e-5, 3e-4)
    fusion.gates.zero_()
    close(model(golden["in/tokens"]).logits, golden["out/logits_gate0"], 3e-5, 3e-4)


@torch.no_grad()
def test_the_cache_of_neighbours_is_imagebind_llms(tmp_path: Path) -> None:
    golden, _, _, fusion, linear = recorded()
    save_file({"vectors": golden["in/cache"]}, tmp_path / "cache.safetensors")
    path = str(tmp_path / "cache.safetensors")
    heard = Features(golden["in/vision"][:, None])
    cache = NeighbourCache(10, path, neighbours=5).eval()
    mixed = cache(heard, TextContext(("", ""), "audio"))
    close(mixed[:, 0], golden["out/cache_mixed"], 3e-5, 3e-4)
    context = prompts(fusion, {"image": list(linear(Features(mixed)))}).context
    assert context is not None
    close(context[:2], golden["out/feat_cache"], 3e-5, 3e-4)
    strong = NeighbourCache(10, path, neighbours=3, temperature=5.0, mix=0.9).eval()
    context = prompts(fusion, {"image": list(linear(Features(strong(heard, TextContext(("", ""), "audio")))))}).context
    assert context is not None
    close(context[:2], golden["out/feat_cache_w09"], 3e-5, 3e-4)
    assert torch.equal(cache(heard, TextContext(("", ""), "image")), heard.x)
    assert torch.equal(cache.train()(heard, TextContext(("", ""), "audio")), heard.x)
    with pytest.raises(InputError, match=r"does not hold one tensor \[M, 11\]"):
        NeighbourCache(11, path)


def test_samples_are_led_by_their_own_media_and_shut_gates_change_nothing(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = LanguageModel(decoder("llama", tmp_path)).eval()
    ids = torch.randint(3, 20, (11,))
    text = Inputs(model.embed(ids), torch.cat([torch.arange(5), torch.arange(6)]), (5, 6))
    plain = model(text)
    fusion = BindAttention(expansion=2)
    fusion.install(model)
    picture, sound = torch.randn(1, model.width), torch.randn(1, model.width)
    slots = {"image": [Slot(0, 0, 0)], "audio": [Slot(0, 7, 0)]}
    shut = model(fusion.prepare(text, {"image": [picture], "audio": [sound]}, slots))
    close(shut, plain)
    nn.init.ones_(fusion.gates)
    opened = model(fusion.prepare(text, {"image": [picture], "audio": [sound]}, slots))
    other = model(fusion.prepare(text, {"image": [picture], "audio": [-sound]}, slots))
    close(other[:5], opened[:5])
    assert not torch.allclose(other[5:], opened[5:], atol=1e-4)
    opened.square().sum().backward()
    assert [name for name, parameter in fusion.named_parameters() if parameter.grad is None] == []
    with pytest.raises(InputError, match="one token a medium, but image media have 2"):
        fusion.prepare(text, {"image": [torch.randn(2, model.width)]}, {"image": [Slot(0, 0, 0)]})
