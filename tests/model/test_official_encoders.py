"""Ways of seeing of published models give the recorded numbers, loaded by their public key maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from families import tokenizer
from mechanisms import FOLDER, Golden, close
from PIL import Image

from vistune.errors import InputError
from vistune.model.connectors.position_aware_resampler import PositionAwareResampler
from vistune.model.connectors.row_ends import RowEnds
from vistune.model.encoders.anchors import Anchors, crops
from vistune.model.encoders.native_patches import NativePatches
from vistune.model.encoders.qwen_vl import QwenVl
from vistune.model.features import Features, Tiling
from vistune.model.interchange.formats import fuyu, qwen_vl
from vistune.model.language.encoder_decoder import language_model
from vistune.model.language.inputs import Inputs


@torch.no_grad()
def test_the_tower_and_its_resampler_are_qwen_vls_at_two_sizes() -> None:
    golden = Golden("qwen_vl_visual_tower")
    tower = QwenVl(16, 4, 16, 2, 2, 2.0).eval()
    golden.load(tower, qwen_vl.tower(2), ["attn_pool.*", "ln_post.*", "proj"])
    resampler = PositionAwareResampler(16, 32, queries=4, heads=4).eval()
    golden.load(resampler, qwen_vl.RESAMPLER, ["attn_pool.pos_embed", "conv1.*", "ln_pre.*", "transformer.*", "positional_*"])
    for side in (16, 24):
        seen = tower(golden[f"in/img{side}"])
        assert seen.grid == (side // 4, side // 4)
        close(seen.x, golden[f"out/trunk_img{side}"], 3e-5, 1e-4)
        close(resampler(seen), golden[f"out/y_img{side}"], 3e-5, 1e-4)


def persimmon(place: Path) -> Any:
    config = hf.PersimmonConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        hidden_act="relu2",
        qk_layernorm=True,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 25000.0, "partial_rotary_factor": 0.5},
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    hf.PersimmonForCausalLM(config).save_pretrained(place)
    tokenizer().save_pretrained(place)
    return language_model(str(place)).eval()


def test_patches_with_row_ends_are_fuyus(tmp_path: Path) -> None:
    """Pictures smaller than the canvas, as large and larger; the whole language model, and gradients of the answer's loss."""
    golden = Golden("fuyu_native_patches")
    encoder, connector, llm = NativePatches(4, 8, 16), RowEnds(48, 16), persimmon(tmp_path)
    golden.load(connector, fuyu.rows(37), ["model.language_model.*", "lm_head.*"])
    names = {"model.": "model.language_model.", "lm_head.": "lm_head."}
    golden.load(llm.model, names, ["model.vision_embed_tokens.*"])
    pictures = []
    for number in range(3):
        image = Image.fromarray(golden[f"in/image_{number}"].permute(1, 2, 0).numpy())
        prepared = encoder.prepare(image)
        seen = encoder(prepared.inputs)
        close(seen.x[0], golden[f"out/patches_{number}"], 2e-5, 2e-5)
        grid = encoder.grid(image.size)
        assert seen.grid == grid and encoder.num_tokens(image.size) == len(seen.x[0])
        tokens = connector(seen)[0]
        stream = golden[f"out/stream_{number}"]
        assert len(tokens) == len(stream) == connector.num_tokens(len(seen.x[0]), grid)
        assert torch.equal((tokens == connector.newline).all(dim=1), stream == 37)
        assert encoder.shrunk(image.size)[1] / image.size[1] == pytest.approx(float(golden[f"out/scale_{number}"]))
        pictures.append(tokens)
    words = llm.embed(torch.cat([torch.tensor([1]), golden["in/question"], golden["in/answer"]]))

    def states(*parts: torch.Tensor) -> torch.Tensor:
        embeds = torch.cat(parts)
        hidden: torch.Tensor = llm(Inputs(embeds, torch.arange(len(embeds)), (len(embeds),)))
        return hidden

    for number, tokens in enumerate(pictures):
        close(llm.logits(states(tokens, words))[None], golden[f"out/logits_{number}"], 2e-5, 2e-5)
    close(llm.logits(states(words))[None], golden["out/text_only_logits"], 2e-5, 2e-5)
    close(llm.logits(states(pictures[0], pictures[1], words[:5]))[None], golden["out/two_images_logits"], 2e-5, 2e-5)
    labels = torch.full((len(pictures[0]) + len(words),), -100)
    labels[-3:] = golden["in/answer"]
    loss = llm.loss_sum(states(pictures[0], words), labels) / 3
    close(loss, golden["out/loss_0"], 2e-5, 2e-5)
    loss.backward()
    projection = connector.get_parameter("inner.proj.weight")
    assert projection.grad is not None and connector.newline.grad is not None
    close(projection.grad[:4], golden["out/grad_vision_weight_rows"], 2e-5, 1e-4)
    close(connector.newline.grad, golden["out/grad_embed_newline_and_placeholder"][0], 2e-5, 1e-4)


def test_patches_that_do_not_fit_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="patches of 30 pixels do not tile a canvas of 100 x 90"):
        NativePatches(30, 100, 90)
    with pytest.raises(InputError, match="row_ends needs an inner connector and an encoder that keep one token a patch"):
        RowEnds(6, 4)(Features(torch.zeros(1, 5, 6)))


@pytest.mark.parametrize("case", json.loads((FOLDER / "docowl_anchors.json").read_text()))
def test_the_grid_of_a_document_is_docowls(case: dict[str, list[int]], tiny_clip: str) -> None:
    encoder = Anchors({"kind": "huggingface", "path": tiny_clip})
    encoder.size = 224
    tiling = encoder.tiling((case["size_wh"][0], case["size_wh"][1]))
    assert tiling is not None and [tiling.rows, tiling.columns] == case["anchor_hw"]


def test_crops_stand_row_by_row_behind_the_whole(tiny_clip: str) -> None:
    rows = np.arange(24, dtype=np.uint8).reshape(4, 6)
    seen = crops(Image.fromarray(np.stack([rows] * 3, axis=-1)), 2, Tiling(2, 3, (6, 4)))
    got = [np.asarray(view)[..., 0].tolist() for view in seen[1:]]
    assert got == [
        [[0, 1], [6, 7]],
        [[2, 3], [8, 9]],
        [[4, 5], [10, 11]],
        [[12, 13], [18, 19]],
        [[14, 15], [20, 21]],
        [[16, 17], [22, 23]],
    ]
    encoder = Anchors({"kind": "huggingface", "path": tiny_clip}, grids=[(2, 2)])
    picture = Image.linear_gradient("L").resize((48, 30)).convert("RGB")
    assert len(encoder.prepare(picture).inputs) == encoder.layout_of(picture.size).inputs == 5
