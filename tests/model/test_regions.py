"""Every region encoder gives the numbers of the published module it is named after."""

from __future__ import annotations

import pytest
import torch
import transformers as hf
from mechanisms import Golden, close

from vistune.model.features import Features
from vistune.model.interchange.official import all_seeing as official
from vistune.model.interchange.official import ferret, gpt4roi
from vistune.model.regions.geo_sampler import GeoSampler
from vistune.model.regions.multi_level_roi import MultiLevelRoi
from vistune.model.regions.region_q_former import RegionQFormer
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points


@pytest.mark.parametrize(
    ("name", "width", "groups", "grid", "scale", "boxes"),
    [("gpt4roi", 8, 4, 16, 1.0, (3, 1)), ("glamm", 4, 2, 24, 224 / 336, (2,))],
    ids=["gpt4roi", "glamm"],
)
def test_the_multi_level_roi_is_gpt4rois_and_glamms(
    name: str, width: int, groups: int, grid: int, scale: float, boxes: tuple[int, ...]
) -> None:
    golden = Golden(f"{name}_multilevel_roi")
    ours = MultiLevelRoi(width, 20, (0, 1, 2, 3), groups=groups, middle=12, place_hidden=8, coordinate_scale=scale)
    golden.fill(ours, gpt4roi.MULTI_LEVEL_ROI)
    levels = {level: golden[f"in/level{level}"] for level in range(4)}
    features = Features(levels[3], (grid, grid), layers=levels)
    placed = torch.cat([golden[f"in/boxes_img{number}"] for number in range(len(boxes))])
    image = torch.arange(len(boxes)).repeat_interleave(torch.tensor(boxes))
    maps = ours.fused(features)
    close(torch.stack([level.mean(dim=(2, 3)) for level in maps]), golden["out/fused_channel_means"], 1e-4, 1e-4)
    close(maps[3], golden["out/fused_l3"], 1e-4, 1e-4)
    close(maps[0][:, :, :4, :4], golden["out/fused_l0_corner"], 1e-4, 1e-4)
    close(ours.rois(maps, placed, image)[0], golden["out/roi_sum_first"], 1e-4, 1e-4)
    close(ours.place(placed), golden["out/pos"], 1e-4, 1e-4)
    tokens = ours(features, placed, image)[:, 0].split(boxes)
    for number, part in enumerate(tokens):
        close(part, golden[f"out/tokens_img{number}"], 1e-4, 1e-4)


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_the_geo_sampler_is_ferrets(pool: str) -> None:
    golden = Golden("ferret_geo_region_sampler")
    ours = GeoSampler(8, 12, points=24, anchors=(12, 6), neighbours=(5, 4), pool=pool, transposed=True)
    golden.fill(ours, ferret.GEO_SAMPLER)
    features = Features(golden["in/feature_map"], (5, 5))
    points = torch.cat([golden["in/points_img0"], golden["in/points_img2"]])
    image = torch.tensor([0, 0, 2])
    close(ours.sampled(features, points, image), golden["out/sampled_features"])
    first = farthest_points(points, 12, torch.zeros(3, dtype=torch.long))
    assert torch.equal(first, golden["out/fps_stage0"])
    near = nearest_points(points, gather(points, first), 5)
    assert torch.equal(near.sort(dim=-1).values, golden["out/knn_stage0_sorted"])
    tokens = ours(features, points, image)[:, 0]
    close(tokens, torch.cat([golden[f"out/{pool}_img0"], golden[f"out/{pool}_img2"]]))


def test_a_transposed_sampler_reads_the_mirrored_place() -> None:
    torch.manual_seed(0)
    ours, features = GeoSampler(8, 12, 6, (3,), (2,)), Features(torch.randn(1, 25, 8), (5, 5))
    mirrored = GeoSampler(8, 12, 6, (3,), (2,), transposed=True)
    points, image = torch.rand(1, 6, 2), torch.zeros(1, dtype=torch.long)
    close(ours.sampled(features, points, image), mirrored.sampled(features, points.flip(-1), image))
    corner = torch.zeros(1, 1, 2)
    corner[..., 0] = 1.0  # the right end of the first row
    close(ours.sampled(features, corner, image)[0, 0], features.x[0, 4])


def all_seeing() -> tuple[Golden, Features, RegionQFormer]:
    """The recording, what its tower gives before the last norm, and our part with its weights."""
    golden = Golden("all_seeing_region_qformer")
    config = hf.Blip2VisionConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=7
    )
    tower = hf.Blip2VisionModel(config).eval()
    golden.fill(tower, {"": "vision_model."})
    with torch.no_grad():
        raw = tower(golden["in/pixel_values"], output_hidden_states=True).hidden_states[-1]
    ours = RegionQFormer(16, 16, queries=3, size=2, positions=17, hidden=16, layers=2, heads=2, intermediate=24).eval()
    golden.fill(ours, official.REGION_Q_FORMER)
    return golden, Features(raw), ours


def test_the_region_q_former_is_the_all_seeing_models() -> None:
    golden, features, ours = all_seeing()
    boxes, image = golden["in/boxes"].flatten(0, 1) / 28, torch.tensor([0, 0, 1, 1])
    close(ours.norm(features.x), golden["out/vision_features"], 5e-5, 1e-4)
    placed = ours.placed(features)
    close(placed, golden["out/vision_features_pos"], 5e-5, 1e-4)
    queries = ours.region_queries(placed, (4, 4), boxes, image)
    close(queries, golden["out/region_queries"], 5e-5, 1e-4)
    close(queries, golden["out/qformer_queries"][:, 3:], 5e-5, 1e-4)
    close(ours(features, boxes, image), golden["out/lm_visual_tokens"], 5e-5, 1e-4)
