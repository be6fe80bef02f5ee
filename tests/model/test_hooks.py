"""The four hooks: the numbers of the published surgeries they were made for, in every family of decoders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf
from families import DECODERS, decoder
from mechanisms import FOLDER, Golden, close
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.adapters.scale_and_bias import tune_scale_and_bias
from vistune.model.fusion.gated_cross_attention import GatedBlock
from vistune.model.fusion.visual_experts import shared_positions
from vistune.model.fusion.zero_init_attention import ZeroInitAttention
from vistune.model.language import attention
from vistune.model.language.causal import LanguageModel
from vistune.model.language.experts import add_experts
from vistune.model.language.hooks import Hooks, Run
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot

LENGTHS = (5, 9)


@pytest.fixture(scope="module", params=DECODERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return decoder(request.param, tmp_path_factory.mktemp(request.param))


def row(model: LanguageModel, lengths: tuple[int, ...] = LENGTHS) -> Inputs:
    torch.manual_seed(4)
    ids = torch.randint(3, len(model.tokenizer), (sum(lengths),))
    return Inputs(model.embed(ids), torch.cat([torch.arange(length) for length in lengths]), lengths)


@torch.no_grad()
def test_hooks_that_do_nothing_change_nothing_and_all_are_called_in_every_family(folder: str) -> None:
    plain, model = LanguageModel(folder).eval(), LanguageModel(folder).eval()
    called: set[str] = set()

    def note(name: str, result: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def hook(*arguments: object) -> Tensor:
            called.add(name)
            return result(*arguments)

        return hook

    linear = next(name for name, module in model.blocks[1].named_modules() if isinstance(module, nn.Linear))
    model.hooks.pre_layer(1, note("pre_layer", lambda hidden, run: hidden))
    model.hooks.route(1, linear, note("route", lambda base, x, run: base(x)))
    model.hooks.attn_add(1, note("attn_add", lambda query, scaling, call: torch.zeros_like(query)))
    assert torch.equal(model(row(model)), plain(row(plain)))
    assert called == {"pre_layer", "route", "attn_add"}
    assert model.generate(row(model), 4) == plain.generate(row(plain), 4)


@torch.no_grad()
def test_keys_and_values_of_other_tokens_are_the_layers_own(folder: str) -> None:
    """Rotation starts at position 0, where it turns nothing: a sample of one token has the keys its layer gives that token."""
    model = LanguageModel(folder).eval()
    noted: list[Tensor] = []
    entered: list[Tensor] = []

    def add(query: Tensor, scaling: float, call: attention.AttentionCall) -> Tensor:
        noted.extend(call.keys_values(entered[-1]))
        return torch.zeros_like(query)

    model.hooks.attn_add(0, add)
    children = dict(model.blocks[0].named_children())
    own = children["self_attn"] if "self_attn" in children else children["attention"]
    own.register_forward_pre_hook(
        lambda _, args, kwargs: entered.append(args[0] if args else kwargs["hidden_states"]), with_kwargs=True
    )
    seen: list[Tensor] = []
    real = attention.Scores.attend
    attend = lambda self, q, k, v, mask: (seen.extend((k, v)), real(self, q, k, v, mask))[1]  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention.Scores, "attend", attend)
        model(row(model, (1,)))
    torch.testing.assert_close(noted[0], seen[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(noted[1], seen[1], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_a_prefix_of_keys_and_values_is_what_a_filled_cache_is(folder: str) -> None:
    """Prefix tuning: transformers' own cache, filled beforehand, gives the same; a window would not see a far prefix there."""
    reference = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    if getattr(reference.config, "sliding_window", None) is not None:
        pytest.skip("transformers counts the cache into the sliding window")
    model = LanguageModel(folder).eval()
    torch.manual_seed(5)
    first = model(row(model, (1,)))
    assert first.shape[0] == 1
    cache = hf.DynamicCache()
    reference(inputs_embeds=torch.randn(1, 3, model.width), past_key_values=cache, use_cache=True)
    prefixes = [(cache.layers[layer].keys.clone(), cache.layers[layer].values.clone()) for layer in range(2)]
    for layer, prefix in enumerate(prefixes):
        model.hooks.kv_concat(layer, lambda run, prefix=prefix: prefix)  # type: ignore[misc]
    inputs = row(model)
    got = model.logits(model(inputs)).split(LENGTHS)
    for sample, positions, logits in zip(inputs.embeds.split(LENGTHS), inputs.positions.split(LENGTHS), got, strict=True):
        filled = hf.DynamicCache()
        for layer, (keys, values) in enumerate(prefixes):
            filled.update(keys, values, layer)
        expected = reference(
            inputs_embeds=sample[None],
            position_ids=positions[None],
            attention_mask=torch.ones(1, 3 + len(sample)),
            past_key_values=filled,
        ).logits[0]
        torch.testing.assert_close(logits, expected, atol=2e-5, rtol=1e-4)


def llama(
    width: int, heads: int, ffn: int, layers: int, vocabulary: int, eps: float = 1e-5, bias: bool = False
) -> hf.LlamaModel:
    attention.register()
    config = hf.LlamaConfig(
        hidden_size=width,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        vocab_size=vocabulary,
        rms_norm_eps=eps,
        attn_implementation=attention.NAME,
    )
    return hf.LlamaForCausalLM(config).eval()


def halves(weight: Tensor, heads: int) -> Tensor:
    """Rows of queries or keys that rotate as neighbours, as the original Llama code has them -> as two halves of a head."""
    return weight.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)


@torch.no_grad()
def test_gated_cross_attention_is_open_flamingos() -> None:
    golden = Golden("flamingo_gated_cross_attention")
    block = GatedBlock(16, 12, heads=2, head_width=8, expansion=2)
    names = {"norm.": "attn.norm.", "query.": "attn.to_q.", "key_and_value.": "attn.to_kv.", "out.": "attn.to_out."}
    golden.fill(block, names | {"network.": "ff.", "attention_gate": "attn_gate", "network_gate": "ff_gate"})
    shown = golden["in/media_locations"].cumsum(1)
    for number in range(3):  # rows have media of their own: one at a time
        key_value = block.key_value(golden["in/media"][number])
        x, count = golden["in/x"][number : number + 1], shown[number : number + 1, :, None]
        places = torch.arange(1, 3)
        latest, previous = places == count, places <= count
        close(block(x, key_value, latest)[0], golden["out/immediate"][number])
        close(block.attend(x, key_value, latest)[0], golden["out/immediate_attn_only"][number])
        behind = count[0, :, 0] > 0  # before the first medium the published code averages all media, later ones included
        close(block(x, key_value, previous)[0, behind], golden["out/all_previous"][number, behind])
        close(block(x, key_value, torch.zeros_like(latest))[0], golden["out/no_image_at_all"][number])
        close(block(x, key_value, torch.ones_like(latest))[0], golden["out/no_locations"][number])
        step = latest[:, -1:]
        close(block(golden["in/x_step"][number : number + 1], key_value, step)[0], golden["out/cached_step"][number])
        chunk = step.expand(-1, 3, -1)
        close(block(golden["in/x_chunk"][number : number + 1], key_value, chunk)[0], golden["out/cached_chunk"][number])


@torch.no_grad()
def test_zero_init_attention_is_llama_adapters() -> None:
    """The whole language model of stage 1, two of three layers with prompts; `new_gate` is folded into the gate."""
    golden = Golden("llama_adapter_v2_stage1")
    model = llama(24, 3, 64, 3, 40)
    state = {
        "model.embed_tokens.weight": golden["param/llama.tok_embeddings.weight"],
        "model.norm.weight": golden["param/llama.norm.weight"],
    }
    state["lm_head.weight"] = golden["param/llama.output.weight"]
    names = {"self_attn.v_proj": "attention.wv", "self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1"}
    names |= {"mlp.down_proj": "feed_forward.w2", "mlp.up_proj": "feed_forward.w3", "input_layernorm": "attention_norm"}
    names |= {"post_attention_layernorm": "ffn_norm"}
    gates = []
    for layer in range(3):
        theirs = f"param/llama.layers.{layer}."
        state |= {f"model.layers.{layer}.{ours}.weight": golden[f"{theirs}{name}.weight"] for ours, name in names.items()}
        for ours, name in (("q_proj", "wq"), ("k_proj", "wk")):
            state[f"model.layers.{layer}.self_attn.{ours}.weight"] = halves(golden[f"{theirs}attention.{name}.weight"], 3)
        gates.append((golden[f"{theirs}attention.gate"].tanh() * golden[f"{theirs}attention.new_gate"]).flatten())
    model.load_state_dict(state)
    fusion = ZeroInitAttention(3, layers=2)
    fusion.rows = nn.Parameter(golden["param/adapter_query.weight"].view(2, 3, 24))
    fusion.gates = nn.Parameter(torch.stack(gates[1:]).atanh())
    hooks = Hooks(model.model.layers)
    for number in range(2):
        hooks.attn_add(1 + number, lambda q, scaling, call, number=number: fusion._add(number, q, scaling, call))  # type: ignore[misc]
    seen = torch.tensor([[0, 1], [1, 2]])[:, None].expand(-1, 7, -1)
    hooks.run = Run(2, context=golden["out/visual_query"], sees=seen)
    out = model(golden["in/tokens"].long(), output_hidden_states=True)
    close(out.hidden_states[2], golden["out/hidden_1"], 2e-5, 2e-4)
    close(out.logits, golden["out/logits"], 2e-5, 2e-4)


@torch.no_grad()
def test_scale_and_bias_are_llama_adapters() -> None:
    golden = Golden("llama_adapter_v2_bias_scale")
    model = llama(16, 2, 48, 2, 20)
    hooks = Hooks(model.model.layers)
    tuned = tune_scale_and_bias(hooks, scale=True)
    state = {
        "model.embed_tokens.weight": golden["param/tok_embeddings.weight"],
        "model.norm.weight": golden["param/norm.weight"],
    }
    state["lm_head.weight"] = golden["param/output.weight"]
    names = {"self_attn.q_proj": "attention.wq", "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv"}
    names |= {"self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1"}
    names |= {"mlp.down_proj": "feed_forward.w2", "mlp.up_proj": "feed_forward.w3"}
    for layer in range(2):
        theirs = f"param/layers.{layer}."
        for ours, name in names.items():
            rotated = name in ("attention.wq", "attention.wk")
            weight, bias = golden[f"{theirs}{name}.weight"], golden[f"{theirs}{name}_bias"]
            state[f"model.layers.{layer}.{ours}.weight"] = halves(weight, 2) if rotated else weight
            around = tuned[layer][ours.replace(".", "_")]
            around.bias.data = halves(bias[:, None], 2)[:, 0] if rotated else bias
            around.scale.data = golden[f"{theirs}{name}_scale"]
        state[f"model.layers.{layer}.input_layernorm.weight"] = golden[f"{theirs}attention_norm.weight"]
        state[f"model.layers.{layer}.post_attention_layernorm.weight"] = golden[f"{theirs}ffn_norm.weight"]
    model.load_state_dict(state)
    close(model(golden["in/tokens"].long()).logits, golden["out/logits"], 2e-5, 2e-4)
    close(model.model.layers[0].mlp(golden["in/x"]), golden["out/ffn"], 2e-5, 2e-4)


@torch.no_grad()
def test_modality_adaptive_layers_are_mplug_owl2s() -> None:
    golden = Golden("mplug_owl2_modality_adaptive_layer")
    model = llama(16, 4, 24, 1, 8, eps=1e-6).model
    layer = model.layers[0]
    hooks = Hooks(model.layers)
    experts = add_experts(hooks, ["input_layernorm", "post_attention_layernorm", "self_attn.k_proj", "self_attn.v_proj"])[0]
    state = {}
    for name in layer.state_dict():
        theirs = name.replace(".weight", "")
        routed = theirs.replace(".", "_") in experts
        state[name] = golden[f"param/{theirs}{'.multiway.0' if routed else ''}.weight"]
        if routed:
            experts[theirs.replace(".", "_")].module.weight.data = golden[f"param/{theirs}.multiway.1.weight"]
    layer.load_state_dict(state)
    hidden = golden["in/hidden_states"]
    positions = model.rotary_emb(hidden, golden["in/position_ids"].long())
    for name, modality in (("layer", golden["in/modality_indicators"].bool()), ("all_text", None), ("all_visual", None)):
        hooks.run = Run(2, torch.full((2, 9), name == "all_visual") if modality is None else modality)
        got = layer(hidden, attention_mask=None, position_embeddings=positions)
        close(got, golden[f"out/{name}"])
    hooks.run = Run(2, golden["in/modality_indicators"].bool())
    close(layer.input_layernorm(hidden), golden["out/input_norm"])
    close(layer.self_attn.v_proj(hidden), golden["out/v_proj_of_hidden"])
    cache = hf.DynamicCache()
    layer(hidden, attention_mask=None, position_embeddings=positions, past_key_values=cache)
    close(cache.layers[0].keys, golden["out/key_cache"])
    close(cache.layers[0].values, golden["out/value_cache"])
    step = model.rotary_emb(hidden, torch.full((2, 1), 9))
    got = layer(golden["in/step_hidden"], attention_mask=None, position_embeddings=step, past_key_values=cache)
    close(got, golden["out/decode_step"])


@torch.no_grad()
def test_visual_experts_are_cogvlms() -> None:
    golden = Golden("cogvlm_visual_expert")
    model = llama(16, 2, 24, 1, 30).model
    layer = model.layers[0]
    hooks = Hooks(model.layers)
    experts = add_experts(hooks, ["self_attn.*_proj", "mlp.*_proj"])[0]
    first = "param/transformer.layers.0."
    text = dict(zip("qkv", golden[f"{first}attention.query_key_value.weight"].chunk(3), strict=True))
    seen = zip("qkv", golden["param/attn_mixin.vision_query_key_value_list.0.weight"].chunk(3), strict=True)
    pairs = {f"self_attn_{name}_proj": (text[name], part) for name, part in seen}
    pairs["self_attn_o_proj"] = golden[f"{first}attention.dense.weight"], golden["param/attn_mixin.vision_dense_list.0.weight"]
    mixin = "param/mlp_mixin."
    pairs["mlp_gate_proj"] = golden[f"{mixin}gate_proj.0.weight"], golden[f"{mixin}vision_gate_proj.0.weight"]
    pairs["mlp_up_proj"] = golden[f"{first}mlp.dense_h_to_4h.weight"], golden[f"{mixin}vision_dense_h_to_4h_list.0.weight"]
    pairs["mlp_down_proj"] = golden[f"{first}mlp.dense_4h_to_h.weight"], golden[f"{mixin}vision_dense_4h_to_h_list.0.weight"]
    for name, (own, visual) in pairs.items():
        part = layer.self_attn if name.startswith("self_attn_") else layer.mlp
        getattr(part, name.removeprefix("self_attn_").removeprefix("mlp_")).weight.data = own
        experts[name].module.weight.data = visual
    hidden, positions = golden["in/hidden"], model.rotary_emb(golden["in/hidden"], golden["in/position_ids"].long())
    for suffix, modality in (("", golden["in/vision_expert_mask"].bool()), ("_language_only", None)):
        hooks.run = Run(2, modality)
        attended, _ = layer.self_attn(hidden_states=hidden, position_embeddings=positions, attention_mask=None)
        close(attended, golden[f"out/attn{suffix}"], 2e-5, 2e-4)
        close(layer.mlp(hidden), golden[f"out/mlp{suffix}"], 2e-5, 2e-4)


@pytest.mark.parametrize("case", json.loads((Path(FOLDER) / "cogvlm_positions.json").read_text()))
def test_positions_stand_still_inside_a_picture_as_in_cogvlm(case: dict[str, list[int]]) -> None:
    places = case["image_embed_mask"]
    starts = [place for place, own in enumerate(places) if own and not (place and places[place - 1])]
    slots = [Slot(number, start, int(case["image_tokens"]) + 2) for number, start in enumerate(starts)]  # type: ignore[call-overload]
    assert shared_positions(slots, (len(places),)).tolist() == case["position_ids"]
    expert = [0] * len(places)
    for slot in slots:
        expert[slot.start : slot.start + slot.length - 1] = [1] * (slot.length - 1)
    assert expert == case["vision_expert_mask"]


def test_an_unknown_module_is_refused() -> None:
    hooks = Hooks(llama(16, 2, 24, 1, 8).model.layers)
    with pytest.raises(InputError, match=r"no module 'self_attn\.kproj'"):
        hooks.route(0, "self_attn.kproj", lambda base, x, run: base(x))
