"""PointBERT gives PointLLM's numbers, and the same tokens for the same cloud every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mechanisms import Golden, close

import vistune
from vistune.errors import InputError
from vistune.model.encoders._point_bert import PointTransformer
from vistune.model.encoders.point_bert import PointBert
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.assets import locate
from vistune.pretrain.points import load

SIZES = {"points": 40, "groups": 6, "neighbours": 5, "width": 16, "depth": 2, "heads": 2, "groups_width": 8}


def official(golden: Golden) -> PointTransformer:
    ours = PointTransformer(**SIZES, hidden=(6, 16, 10)).eval()  # type: ignore[arg-type]
    names = {"cls": "cls_token", "cls_position": "cls_pos", "enter.": "reduce_dim.", "norm.": "norm."}
    names |= {"position.": "pos_embed."}
    for stage in ("first", "second"):
        for part, number in {"enter": 0, "norm": 1, "leave": 3}.items():
            names[f"group.{stage}.{part}."] = f"encoder.{stage}_conv.{number}."
    parts = {"norm_attention": "norm1", "norm_network": "norm2", "query_key_value": "attn.qkv", "out": "attn.proj"}
    parts |= {"network.0": "mlp.fc1", "network.2": "mlp.fc2"}
    for block in range(2):
        names |= {f"blocks.{block}.{part}.": f"blocks.blocks.{block}.{name}." for part, name in parts.items()}
    golden.fill(ours, {our: f"point_backbone.{their}" for our, their in names.items()})
    return ours


def test_groups_and_tokens_are_pointllms() -> None:
    golden = Golden("pointllm_pointbert")
    ours = official(golden)
    clouds, starts = golden["in/points"], golden["in/fps_start"]
    xyz = clouds[:, :, :3]
    chosen = farthest_points(xyz, 6, starts)
    assert torch.equal(chosen, golden["out/fps_index"])
    centres = gather(xyz, chosen)
    assert torch.equal(centres, golden["out/centers"])
    assert torch.equal(nearest_points(xyz, centres, 5).sort().values, golden["out/knn_index_sorted"])
    seen = ours(clouds, starts)
    close(seen.x, golden["out/tokens"], 2e-5, 2e-4)
    close(seen.pooled, golden["out/tokens_maxpool"][:, 0], 2e-5, 2e-4)
    close(ours.position(centres), golden["out/pos"], 2e-5, 2e-4)


def test_a_cloud_gives_the_same_tokens_every_time_and_anywhere() -> None:
    torch.manual_seed(0)
    ours = PointTransformer(**SIZES).eval()  # type: ignore[arg-type]
    cloud = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    prepared = ours.prepare(cloud)
    assert prepared.shape == (40, 6) and prepared[:, :3].norm(dim=1).max() == pytest.approx(1)
    assert torch.equal(ours(prepared[None]).x, ours(ours.prepare(cloud)[None]).x)
    moved = cloud + np.float32([5, -3, 1, 0, 0, 0])
    close(ours.prepare(moved), prepared, 1e-5, 1e-5)


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    ours = PointTransformer(**SIZES)  # type: ignore[arg-type]
    ours(torch.randn(2, 40, 6)).x.square().sum().backward()
    assert [name for name, parameter in ours.named_parameters() if parameter.grad is None] == []


def test_clouds_that_do_not_fit_are_refused() -> None:
    ours = PointTransformer(**SIZES)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="5 points with 3 values"):
        ours.prepare(np.zeros((5, 6), np.float32))
    with pytest.raises(InputError, match="40 points with 0 values"):
        ours.prepare(np.zeros((40, 3), np.float32))


def test_the_shipped_one_is_a_part_that_a_model_reads_clouds_with(tiny_spec: dict) -> None:
    spec = tiny_spec | {
        "parts": {"cloud": {"kind": "point_bert", "path": "builtin:point_bert"}, "cloud_mlp": "mlp"},
        "modalities": {"points": ["cloud", "cloud_mlp"]},
        "max_length": 512,
    }
    model = VisionLanguageModel(ModelSpec.from_json(spec)).eval()
    points = next(iter(vistune.read("world:?task=solid_name&split=test&size=1")))
    example = model.example(points, model.renderer())
    encoder = model.parts["cloud"]
    assert isinstance(encoder, PointBert)
    (slot,) = example.rendered.slots["points"]
    assert slot.length == encoder.model.num_tokens()
    expected = load(Path(locate("builtin:point_bert")))(example.things["points"][0].ready.inputs).x
    assert torch.equal(encoder(example.things["points"][0].ready.inputs).x, expected)
