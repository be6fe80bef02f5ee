"""Every connector keeps the contract, and gives the numbers of the published module it is named after."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers as hf
from mechanisms import Golden, close
from safetensors.torch import save_file
from torch import nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.connectors.c_abstractor import CAbstractor
from vistune.model.connectors.class_taps import ClassTaps
from vistune.model.connectors.glu import Glu
from vistune.model.connectors.perceiver_resampler import PerceiverResampler
from vistune.model.connectors.position_aware_resampler import PositionAwareResampler
from vistune.model.connectors.q_former import QFormer
from vistune.model.connectors.self_attention_queries import SelfAttentionQueries
from vistune.model.connectors.tap import Tap
from vistune.model.connectors.token_merge import TokenMerge
from vistune.model.connectors.visual_abstractor import VisualAbstractor
from vistune.model.features import Features, Grid, Layout
from vistune.spec import build, kinds

FOLDER = "vistune.model.connectors"
WIDTH, OUT = 16, 24
SMALL: dict[str, dict[str, Any]] = {
    "bracket": {"inner": "linear"},
    "c_abstractor": {"side": 2, "depth": 1, "hidden": 16, "grid": 4, "ends": 1},
    "class_taps": {"taps": [1, -2], "hidden": 8},
    "bert_adapter": {"hidden": 16, "layers": 1, "heads": 2},
    "embedding_table_attention": {"kernel": 3, "stride": 2, "heads": 2},
    "frame_attention": {},
    "parallel": {"branches": {"queries": {"kind": "query_decoder", "queries": 3, "depth": 1}, "patches": "linear"}},
    "perceiver_resampler": {"latents": 5, "depth": 2, "heads": 2, "head_width": 8},
    "position_aware_resampler": {"queries": 9, "heads": 4},
    "q_former": {"queries": 5, "hidden": 16, "layers": 2, "heads": 2},
    "query_decoder": {"queries": 5, "depth": 2, "hidden": 32},
    "self_attention_queries": {"queries": 5, "depth": 2, "heads": 2, "inner": 16},
    "shared_q_former": {"queries": 5, "hidden": 16, "layers": 2, "heads": 2},
    "spatial_pooling": {"side": 2},
    "tap": {"drop": 0},
    "token_merge": {"merge": 2},
    "visual_abstractor": {"queries": 5, "depth": 2, "heads": 2, "hidden": 20},
}
QUESTIONS = TextContext(("What is it?", "Where is the red bus?"))


def seen(x: torch.Tensor, grid: Grid) -> Features:
    """Features of an encoder that keeps two hidden layers, too."""
    return Features(x, grid, layers={1: x / 2, -2: x})


@pytest.fixture(params=[kind for kind in kinds(FOLDER) if not kind.startswith("_")])
def connector(request: pytest.FixtureRequest, tmp_path: Path) -> Connector:
    torch.manual_seed(0)
    spec = {"kind": request.param, **SMALL.get(request.param, {})}
    if request.param == "neighbour_cache":
        save_file({"unit": F.normalize(torch.randn(12, WIDTH), dim=1)}, tmp_path / "unit.safetensors")
        spec["path"] = str(tmp_path / "unit.safetensors")
    words = torch.randn(7, OUT)
    made: Connector = build(FOLDER, spec, Connector, width=WIDTH, out_width=OUT, vocabulary=lambda: words)
    return made.eval()


def width_of(connector: Connector) -> int:
    """One that takes no `out_width` keeps the width."""
    return OUT if "out_width" in inspect.signature(type(connector)).parameters else WIDTH


@pytest.mark.parametrize("grid", [(4, 4), (2, 3)])
def test_tokens_are_as_many_and_as_wide_as_promised(connector: Connector, grid: Grid) -> None:
    length = grid[0] * grid[1]
    tokens = connector(seen(torch.randn(2, length, WIDTH), grid), QUESTIONS)
    assert tokens.shape == (2, connector.num_tokens(length, grid), width_of(connector))
    layout = Layout(length, grid)
    after = connector.layout_after(layout)
    assert connector.join(tokens[:1], layout).shape == (after.inputs, after.tokens, width_of(connector))


def test_only_one_that_says_so_reads_the_question(connector: Connector) -> None:
    """Pictures' tokens are kept from one question to the next where it does not."""
    features = seen(torch.randn(2, 16, WIDTH), (4, 4))
    assert not connector.reads_text
    assert torch.equal(connector(features, QUESTIONS), connector(features, TextContext(("yes", "no"))))


def test_every_parameter_learns_and_inputs_do_not_mix(connector: Connector) -> None:
    x = torch.randn(2, 16, WIDTH, requires_grad=True)
    tokens = connector(seen(x, (4, 4)), QUESTIONS)
    connector(seen(x, (4, 4)), replace(QUESTIONS, kind="audio")).square().sum().backward()  # queries for each modality
    (connector.join(tokens[:1], Layout(16, (4, 4))).square().sum() + tokens.square().sum()).backward()
    assert [name for name, parameter in connector.named_parameters() if parameter.grad is None] == []
    other = connector(seen(torch.stack([x[0], -x[1]]), (4, 4)), QUESTIONS)
    assert torch.equal(other[0], tokens[0]) and not torch.equal(other[1], tokens[1])


def test_the_perceiver_resampler_is_open_flamingos() -> None:
    golden = Golden("flamingo_perceiver_resampler")
    ours = PerceiverResampler(16, 16, latents=4, depth=2, heads=2, head_width=8, expansion=2)
    names = {"latents": "latents", "norm.": "norm."}
    for number in range(2):
        names |= {f"attentions.{number}.norm_features.": f"layers.{number}.0.norm_media."}
        names |= {f"attentions.{number}.{part}.": f"layers.{number}.0.{part}." for part in ("norm_latents",)}
        names |= {
            f"attentions.{number}.query.": f"layers.{number}.0.to_q.",
            f"attentions.{number}.out.": f"layers.{number}.0.to_out.",
        }
        names |= {
            f"attentions.{number}.key_value.": f"layers.{number}.0.to_kv.",
            f"feed_forwards.{number}.": f"layers.{number}.1.",
        }
    golden.fill(ours, names)
    images = golden["in/images"].flatten(0, 2)
    close(ours(Features(images)).unflatten(0, (2, 2)), golden["out/images_no_embs"])
    first = ours.attentions[0](images, ours.latents.expand(4, -1, -1))
    close(first.unflatten(0, (2, 2)), golden["out/images_attn0_no_embs"])
    close(ours.feed_forwards[0](ours.latents + first).unflatten(0, (2, 2)), golden["out/images_ff0"])


@pytest.mark.parametrize("side", [2, 3, 4, 6])
def test_the_position_aware_resampler_is_qwen_vls_at_every_resolution(side: int) -> None:
    golden = Golden("qwen_vl_resampler")
    ours = PositionAwareResampler(24, 32, queries=9, heads=4)
    names = {
        "query": "query",
        "key_value.": "kv_proj.",
        "norm_query.": "ln_q.",
        "norm_key_value.": "ln_kv.",
        "attention.": "attn.",
    }
    kept = {f"norm__{name}": tensor for name, tensor in ours.norm.state_dict().items()}
    golden.fill(ours, names, proj=ours.proj.data, **kept)
    close(ours.positions((3, 3), torch.device("cpu")), golden["param/pos_embed"], 1e-6, 0)
    if side != 3:
        close(ours.positions((side, side), torch.device("cpu")), golden[f"out/pos_k_{side}x{side}"], 1e-6, 0)
    close(ours.resample(golden[f"in/x_{side}x{side}"], (side, side)), golden[f"out/y_{side}x{side}"], 2e-5, 1e-4)


def test_the_visual_abstractor_is_mplug_owl2s() -> None:
    golden = Golden("mplug_owl2_visual_abstractor")
    ours = VisualAbstractor(16, 12, queries=4, depth=2, heads=2, hidden=20)
    names = {"queries": "query_embeds", "proj.": "visual_fc.", "end": "vit_eos"}
    parts = {"norm_query": "norm1", "norm_features": "normk", "norm_hidden": "output.norm2", "out": "output.out_proj"}
    parts |= {"query": "attention.query", "key": "attention.key", "value": "attention.value", "norm_gated": "output.mlp.ffn_ln"}
    parts |= {"gate": "output.mlp.w1", "up": "output.mlp.w3", "down": "output.mlp.w2"}
    for number in range(2):
        names |= {f"layers.{number}.{part}.": f"encoder.layers.{number}.crossattention.{name}." for part, name in parts.items()}
    golden.fill(ours, names)
    close(ours(Features(golden["in/image_features"])), golden["out/tokens"])


def test_self_attention_queries_are_llama_adapters() -> None:
    golden = Golden("llama_adapter_v2")
    ours = SelfAttentionQueries(12, 24, queries=3, depth=2, heads=4, inner=16)
    names = {"enter.0.": "clip_proj.", "enter.1.": "clip_proj_norm.", "queries": "visual_query.weight"}
    names |= {"leave.0.": "visual_proj.", "leave.1.": "visual_proj_norm."}
    parts = {"norm_attention": "norm1", "norm_network": "norm2", "query_key_value": "attn.qkv", "out": "attn.proj"}
    parts |= {"network.0": "mlp.fc1", "network.2": "mlp.fc2"}
    for number in range(2):
        names |= {f"blocks.{number}.{part}.": f"visual_blocks.{number}.{name}." for part, name in parts.items()}
    golden.fill(ours, names)
    close(ours(Features(golden["out/clip_tokens"])), golden["out/visual_query"], 2e-5, 2e-4)


def test_the_gated_linear_unit_is_cogvlms() -> None:
    golden = Golden("cogvlm_visual_expert")
    ours = Glu(10, 16, hidden=24)
    prefix = "eva.linear_proj."
    names = {"enter.0.": f"{prefix}linear_proj.", "enter.1.": f"{prefix}norm1.", "gate.": f"{prefix}gate_proj."}
    golden.fill(ours, names | {"up.": f"{prefix}dense_h_to_4h.", "down.": f"{prefix}dense_4h_to_h."})
    close(ours(Features(golden["in/vit_tokens"])), golden["out/glu"], 2e-5, 2e-4)


@pytest.mark.parametrize("reads", [False, True], ids=["blip_2", "instructblip"])
def test_the_q_former_is_transformers(reads: bool, tiny_language: str) -> None:
    torch.manual_seed(0)
    tokenizer = hf.AutoTokenizer.from_pretrained(tiny_language)
    vision = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    former = {"hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}
    former |= {"encoder_hidden_size": WIDTH, "vocab_size": len(tokenizer)}
    text = {"model_type": "opt", "hidden_size": OUT, "ffn_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text |= {"word_embed_proj_dim": OUT, "vocab_size": len(tokenizer), "max_position_embeddings": 64}
    family = "InstructBlip" if reads else "Blip2"
    config = getattr(hf, f"{family}Config")(
        vision_config=vision | {"image_size": 16, "patch_size": 8}, qformer_config=former, text_config=text, num_query_tokens=4
    )
    reference = getattr(hf, f"{family}ForConditionalGeneration")(config).eval()
    nn.init.normal_(reference.query_tokens)
    ours = QFormer(WIDTH, OUT, 4, 16, 3, 2, tokenizer=tiny_language if reads else None).eval()
    ours.model.load_state_dict(reference.qformer.state_dict())
    ours.norm.load_state_dict(reference.vision_model.post_layernorm.state_dict())
    ours.proj.load_state_dict(reference.language_projection.state_dict())
    ours.queries.data = reference.query_tokens.data[0]
    pixels, words = torch.randn(2, 3, 16, 16), tokenizer(list(QUESTIONS.texts), padding=True, return_tensors="pt")
    asked = {"qformer_input_ids": words["input_ids"], "qformer_attention_mask": words["attention_mask"]} if reads else {}
    raw = reference.vision_model(pixels, output_hidden_states=True).hidden_states[-1]
    with torch.no_grad():
        expected = reference.get_image_features(pixels, **asked).pooler_output
        got = ours(Features(raw), QUESTIONS)
    close(got, expected)
    other = ours(Features(raw), TextContext(("A red bus?", QUESTIONS.texts[1])))
    assert torch.equal(other[0], got[0]) is not reads  # the first question was another one, the second the same
    assert torch.equal(other[1], got[1])


def test_what_does_not_fit_is_refused_in_one_sentence(tiny_language: str) -> None:
    features = Features(torch.randn(1, 16, WIDTH), None)
    with pytest.raises(InputError, match="expected a square number"):
        PositionAwareResampler(WIDTH, OUT, queries=10)
    with pytest.raises(InputError, match="let the encoder drop its class token"):
        PositionAwareResampler(WIDTH, OUT, queries=9, heads=4)(features)
    with pytest.raises(InputError, match="one class token in front of a square"):
        VisualAbstractor(WIDTH, OUT, **SMALL["visual_abstractor"])(features)
    with pytest.raises(InputError, match=r"blocks of 2 x 2 do not tile a grid of 3 x 4"):
        TokenMerge(WIDTH, OUT, shape="block").num_tokens(12, (3, 4))
    with pytest.raises(InputError, match=r"hidden layers \[4\], which the encoder does not keep"):
        ClassTaps(WIDTH, OUT, taps=[4])(features)
    with pytest.raises(InputError, match="hidden layer -2, which the encoder does not keep"):
        Tap(WIDTH, OUT)(features)
    with pytest.raises(InputError, match="let the encoder drop its class token"):
        CAbstractor(WIDTH, OUT)(features)
    reading = QFormer(WIDTH, OUT, tokenizer=tiny_language, **SMALL["q_former"])
    with pytest.raises(InputError, match="reads the question"):
        reading(features)
    with pytest.raises(InputError, match="512 at most"):
        reading(features, TextContext(("yes no " * 400,)))
    with pytest.raises(InputError, match="does not exist"):
        QFormer(WIDTH, OUT, tokenizer=str(Path("/nowhere/at/all")))
