"""Ways into the language model of published models give the recorded numbers, loaded by their public key maps."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from families import tokenizer
from mechanisms import FOLDER, Golden, close
from torch import Tensor, nn

from vistune.model.adapters.adapt import adapt, adapter_parameters
from vistune.model.connectors.q_former import QFormer
from vistune.model.features import Features, Prepared, Sight
from vistune.model.fusion.gated_cross_attention import GatedBlock, GatedCrossAttention
from vistune.model.fusion.mid_layer_injection import MidLayerInjection
from vistune.model.fusion.partial_lora import VisualUpdate
from vistune.model.fusion.routed_adapters import RoutedAdapters
from vistune.model.fusion.two_pass import TwoPass
from vistune.model.fusion.visual_experts import shared_positions
from vistune.model.interchange.formats import flamingo, lavin, lmeye, vpg_c, xcomposer2
from vistune.model.interchange.formats.layers import meta_llama
from vistune.model.language.encoder_decoder import language_model
from vistune.model.language.hooks import Run
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot

CLIP = {
    "hidden_size": 12,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 30,
    "max_position_embeddings": 16,
    "hidden_act": "quick_gelu",
    "projection_dim": 12,
}


def folder(model: Any, place: Path) -> str:
    model.save_pretrained(place)
    tokenizer().save_pretrained(place)
    return str(place)


def llama(place: Path, **settings: Any) -> Any:
    """A language model of ours around a Llama of these sizes."""
    config = hf.LlamaConfig(num_attention_heads=2, num_key_value_heads=2, hidden_size=16, **settings)
    return language_model(folder(hf.LlamaForCausalLM(config), place)).eval()


def row(samples: list[Tensor]) -> Inputs:
    lengths = tuple(map(len, samples))
    return Inputs(torch.cat(samples), torch.cat([torch.arange(length) for length in lengths]), lengths)


@torch.no_grad()
def test_routed_adapters_are_lavins(tmp_path: Path) -> None:
    """The whole language model: two samples with a picture, one without. Place 0 of theirs is the modality token."""
    golden = Golden("lavin_language_model")
    llm = llama(tmp_path, vocab_size=30, intermediate_size=48, num_hidden_layers=2, rms_norm_eps=1e-5)
    fusion = RoutedAdapters(hidden=4, scale=0.5)
    fusion.install(llm)
    fusion.eval()
    rest = ["adapter_proj.*", "adapter_modality*", "*.adapter_attn.*"]
    golden.load(llm.model, meta_llama(2), rest)
    golden.load(fusion, lavin.ADAPTERS, ["adapter_proj.*", "tok*", "norm*", "output*", "layers.*"])
    expected = golden["out/input_embeddings"][:, 1:]
    text = row(list(expected))
    slots = {"image": [Slot(0, 3, 6), Slot(1, 2 * 13 + 3, 6)]}
    tokens = {"image": [golden["out/visual_tokens"][number] for number in (0, 2)]}
    inputs = fusion.settle(llm, fusion.prepare(text, tokens, slots), tokens, slots, {})
    close(inputs.embeds.view(3, 13, 16), expected)
    assert golden["out/blocked"][1:, 0].all()
    got = llm.logits(llm(inputs)).view(3, 13, 30)
    close(got, golden["out/logits"][:, 1:], 5e-5, 1e-4)
    labels = golden["out/shifted_labels"].view(3, 13)
    loss = nn.functional.cross_entropy(
        torch.cat([golden["out/logits"][:, :1], got], 1)[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=0
    )
    close(loss, golden["out/loss"], 5e-5, 1e-4)


def vpg_c_model(golden: Golden, place: Path, layer: int) -> tuple[Any, MidLayerInjection]:
    llm = llama(place, vocab_size=20, intermediate_size=24, num_hidden_layers=3, rms_norm_eps=1e-6)
    golden.load(llm.model.model, {"": ""}, ["query_tokens", "Qformer.*", "*_proj.weight", "*_proj.bias", "*.inv_freq"])
    former = QFormer(10, 16, queries=3, hidden=12, layers=2, heads=2, feed_forward=20).eval()
    former.norm = nn.Identity()  # type: ignore[assignment]
    golden.load(former.model, {"": "Qformer.model."}, ["*"])
    fusion = MidLayerInjection(layer)
    fusion.meet({"connector": former})
    fusion.install(llm)
    golden.load(fusion, vpg_c.INJECTION, ["*"])
    return llm, fusion.eval()


@torch.no_grad()
@pytest.mark.parametrize(("layer", "expected"), [(1, "last_hidden"), (0, "last_hidden_inject_at_0")])
def test_mid_layer_injection_is_vpg_cs(layer: int, expected: str, tmp_path: Path) -> None:
    golden = Golden("vpgc_mid_layer_injection")
    llm, fusion = vpg_c_model(golden, tmp_path, layer)
    samples = [golden["in/inputs_embeds"][0], golden["in/inputs_embeds"][1, :11]]
    spans, start, slots, answers = golden["in/image_spans"].tolist(), 0, [], torch.zeros(24, dtype=torch.bool)
    tokens, sights = [], []
    for number, sample in enumerate(samples):
        for first, end in spans:
            tokens.append(sample[first:end])
            features = golden["in/image_features"][number, len(tokens) % 2 - 1]
            sights.append(Sight(Prepared(torch.empty(0)), Features(features[None])))
            slots.append(Slot(len(slots), start + first, end - first))
        answers[start + golden["in/guide_index"][number] + 1 : start + len(sample)] = True
        start += len(sample)
    text = replace(row(samples), answers=answers)
    placed = {"image": slots}
    inputs = fusion.settle(llm, fusion.prepare(text, {"image": tokens}, placed), {"image": tokens}, placed, {"image": sights})
    left, right = llm(inputs).split((13, 11))
    close(left, golden[f"out/{expected}"][0], 5e-5, 1e-4)
    close(right, golden[f"out/{expected}"][1, :11], 5e-5, 1e-4)


def test_low_rank_updates_of_inserted_layers_are_multimodal_gpts() -> None:
    """Text looks at the next picture, as released, or at the latest; LoRA stands in the inserted layers, too."""
    golden = Golden("multimodal_gpt_gated_lora")
    fusion = GatedCrossAttention(heads=2, head_width=8, expansion=2, sees="next")
    fusion.blocks["0"] = block = GatedBlock(16, 12, heads=2, head_width=8, expansion=2)
    fusion.marker = nn.Parameter(torch.zeros(16))
    targets = ["query", "key_and_value", "out", "1", "3"]
    adapt({"fusion": fusion}, {"fusion": {"kind": "lora", "rank": 3, "alpha": 3, "targets": targets}})
    golden.load(block, flamingo.GATED_BLOCK)
    x, media, locations = golden["in/x"], golden["in/media"].flatten(0, 1), golden["in/media_locations"]
    slots = {"image": [Slot(number, int(place), 1) for number, place in enumerate(locations.flatten().nonzero())]}
    for sees in ("latest", "next"):
        fusion.sees = sees  # type: ignore[assignment]
        ready = fusion.prepare(row(list(x)), {"image": list(media)}, slots)
        assert ready.sees is not None
        run = Run(2, context=media, sees=ready.sees.view(2, 9, 2))
        got = block(x, block.key_value(media), run.visible(2, 9))
        close(got, golden[f"out/{sees}"], 2e-5, 1e-4)
    (got * golden["in/w"]).sum().backward()
    golden.gradients(block, flamingo.GATED_BLOCK)
    trained = [name for name, parameter in fusion.named_parameters() if parameter.requires_grad and "lora" in name]
    assert len(trained) == len(adapter_parameters(fusion)) == 10


def test_partial_updates_are_xcomposer2s() -> None:
    golden = Golden("xcomposer2_partial_lora")
    base, ours = nn.Linear(12, 10, bias=False), VisualUpdate(12, 10, 4, 1.5, 0.05).eval()
    base.weight.data = golden["param/weight"]
    golden.load(ours, xcomposer2.UPDATE, ["weight"])
    x, mask = golden["in/x"].requires_grad_(), golden["in/image_mask"]
    got = ours(base, x, Run(2, mask))
    close(got, golden["out/y"])
    (got * golden["in/w"]).sum().backward()
    golden.gradients(ours, xcomposer2.UPDATE)
    assert x.grad is not None and base.weight.grad is not None
    close(x.grad, golden["out/grad_x"])
    close(base.weight.grad, golden["grad/weight"])
    close(ours(base, x, Run(2, torch.zeros_like(mask))), golden["out/text_only"])
    close(ours(base, x, Run(2)), golden["out/decoding"])


def clip_text(place: Path) -> str:
    hf.CLIPTextModelWithProjection(hf.CLIPTextConfig(**CLIP)).save_pretrained(place)
    return str(place)


def test_two_passes_are_lmeyes(tmp_path: Path) -> None:
    """v0.1 on a T5: request, interaction and injection, and the gradients through both passes."""
    golden = Golden("lmeye_v01_two_pass")
    t5 = hf.T5Config(
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=1,
        num_decoder_layers=1,
        num_heads=2,
        vocab_size=40,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
    )
    llm: Any = language_model(folder(hf.T5ForConditionalGeneration(t5), tmp_path / "t5")).eval()
    golden.load(
        llm.model,
        {
            "": "language_model.",
            "encoder.embed_tokens.": "language_model.shared.",
            "decoder.embed_tokens.": "language_model.shared.",
        },
        ["*"],
    )
    fusion = TwoPass(clip_text(tmp_path / "clip"), width=12)
    fusion.install(llm)
    golden.load(fusion.exchange, lmeye.V0_1, ["*"])
    for ours, theirs in (("proj.weight", "language_projection.weight"), ("proj.bias", "language_projection.bias")):
        fusion.get_parameter(ours).data = golden[f"param/{theirs}"]
    assert fusion.mark_request is not None
    fusion.mark_request.data, fusion.mark_answer.data = (golden[f"param/instruction_embedding_img{name}"][0] for name in "qd")
    fusion.eval()
    source = golden["out/qformer_output"].requires_grad_()
    ids, labels = golden["in/input_ids"].clamp(min=0), golden["in/labels"]
    rows, answers, slots, start = [], [], [], 0
    for number, length in enumerate((14, 16)):
        first = int((golden["in/input_ids"][number] == -101).nonzero()[0])
        slots.append(Slot(number, start + first, 10))
        target = labels[number][labels[number] >= 0]
        rows.append(torch.cat([ids[number, :length], target]))
        answers.append(torch.cat([torch.zeros(length), torch.ones(len(target))]).bool())
        start += len(rows[-1])
    where, tokens = {"image": slots}, {"image": list(source)}
    text = replace(row([llm.embed(ids) for ids in rows]), answers=torch.cat(answers))
    first_pass = fusion.prepare(text, tokens, where)
    inputs = fusion.settle(llm, first_pass, tokens, where, {})
    for number, (length, part, second) in enumerate(
        zip((14, 16), first_pass.embeds.split(first_pass.lengths), inputs.embeds.split(inputs.lengths), strict=True)
    ):
        close(part[:length], golden["out/pass1_embeds"][number, :length], 2e-5, 1e-5)
        close(second[:length], golden["out/pass2_embeds"][number, :length], 2e-5, 1e-5)
    supervised = torch.cat(rows).masked_fill(~torch.cat(answers), -100)
    loss = llm.loss_sum(llm(inputs), supervised) / int((supervised >= 0).sum())
    close(loss, golden["out/loss"], 2e-5, 1e-5)
    loss.backward()
    exchange = fusion.exchange
    found = {
        "language_projection_weight": fusion.proj.weight.grad,
        "blip22clip_weight": exchange.request.weight.grad,
        "instruction_linear_weight": exchange.prompts.weight.grad,
        "imgdLinear_weight": exchange.answer.weight.grad,
        "embedding_imgq": fusion.mark_request.grad,
        "embedding_imgd": fusion.mark_answer.grad,
    }
    for name, gradient in found.items():
        assert gradient is not None
        close(gradient, golden[f"out/grad_{name}"].reshape(gradient.shape), 2e-5, 1e-4)


@pytest.mark.parametrize(("under", "answers"), [("", 1), ("five.", 5)])
def test_two_passes_of_the_first_version_are_lmeyes(under: str, answers: int, tmp_path: Path) -> None:
    """v0 on a Llama: the picture stands where it is written, the request at the first place of its answer."""
    golden = Golden("lmeye_v0_two_pass")
    llm = llama(tmp_path / "llama", vocab_size=40, intermediate_size=24, num_hidden_layers=2, rms_norm_eps=1e-6)
    golden.load(llm.model, {"": f"{under}llm.m."}, ["*"])
    fusion = TwoPass(clip_text(tmp_path / "clip"), width=12, version="v0", answers=answers).eval()
    fusion.install(llm)
    fusion.eval()
    names = {
        prefix: f"{under}{theirs}".replace("clip.text_model.", "clip.text_model.t.") for prefix, theirs in lmeye.V0.items()
    }
    golden.load(fusion.exchange, names, ["*"])
    image_linear = nn.Linear(12, 16)
    golden.load(image_linear, {"": f"{under}imgLinear."}, ["*"])
    ids, labels = golden[f"in/{under}row"], golden[f"in/{under}labels"]
    mark, slot = (golden[f"param/{under}embedding_{name}"][0].requires_grad_() for name in ("img", "imgd"))
    embeds = llm.embed(ids)
    image = image_linear(golden[f"in/{under}image"]) + mark
    embeds = embeds + (ids == 38)[..., None] * image[:, None] + (ids == 39)[..., None] * slot
    first = [int(places.nonzero()[0]) for places in ids == 39]
    states = llm.read(row(list(embeds))).view(*ids.shape, 16)
    answer = fusion.exchange(golden[f"in/{under}image"][:, None], states[torch.arange(2), first])
    assert answer.shape == (2, answers, 16)
    embeds = embeds.clone()
    for number in range(2):
        embeds[number, ids[number] == 39] += answer[number]
    logits = llm.logits(llm(row(list(embeds)))).view(*ids.shape, 40)
    close(logits, golden[f"out/{under}logits"], 5e-5, 1e-4)
    loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    close(loss, golden[f"out/{under}loss"], 2e-5, 1e-4)
    if not under:
        loss.backward()
        golden.gradients(fusion.exchange, names)
        golden.gradients(image_linear, {"": "imgLinear."})
        assert mark.grad is not None and slot.grad is not None
        close(mark.grad, golden["grad/embedding_img"][0], 2e-5, 1e-4)
        close(slot.grad, golden["grad/embedding_imgd"][0], 2e-5, 1e-4)


@pytest.mark.parametrize("case", json.loads((FOLDER / "cogvlm_masks.json").read_text()))
def test_pictures_between_two_vectors_stand_as_in_cogvlm(case: dict[str, Any]) -> None:
    """Training rows, prompts with tokens that follow, and the rule of the code published with the weights."""
    own = [0, *case["image_embed_mask"], 0]
    edges = [place for place, (before, after) in enumerate(pairwise(own)) if before != after]
    slots = [Slot(number, start, end - start) for number, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=True))]
    assert all(slot.length == case["image_tokens"] + 2 for slot in slots)
    positions = shared_positions(slots, (len(case["position_ids"]),)).tolist()
    assert positions == case["position_ids"]
    expert, rotated = ([0] * len(own[1:-1]) for _ in range(2))
    for slot in slots:
        expert[slot.start : slot.start + slot.length - 1] = [1] * (slot.length - 1)
        rotated[slot.start + 1 : slot.start + slot.length - 1] = [1] * (slot.length - 2)
    assert expert == case["vision_expert_mask"] and rotated == case.get("image_rope_mask", rotated)
    # a picture stands still: three positions, however many patches it has
    for slot in slots:
        assert positions[slot.start + slot.length - 1] - positions[slot.start] == 2
