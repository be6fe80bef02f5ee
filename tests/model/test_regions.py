"""Every region encoder keeps the contract, and gives the numbers of the published module it is named after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from mechanisms import Golden, close

from vistune.model.features import Features, Geometry, Prepared, Sight
from vistune.model.interchange.formats import all_seeing as official
from vistune.model.interchange.formats import ferret, gpt4roi
from vistune.model.modalities.region import Regions
from vistune.model.regions._places import boxes_on_input, groups, prepared_box
from vistune.model.regions.base import RegionEncoder
from vistune.model.regions.geo_sampler import GeoSampler
from vistune.model.regions.mask_pool import MaskPool
from vistune.model.regions.multi_level_roi import MultiLevelRoi
from vistune.model.regions.region_q_former import RegionQFormer
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.prompt.codecs.decimals import Decimals
from vistune.sample import Media, Region, Sample, Text, Turn
from vistune.spec import build, kinds

FOLDER, WIDTH, OUT = "vistune.model.regions", 16, 24
VISION = {"kind": "huggingface", "path": "builtin:clip"}
SMALL: dict[str, dict[str, Any]] = {
    "multi_level_roi": {"layers": (1, 2), "groups": 4, "size": 2, "middle": 8, "place_hidden": 8},
    "geo_sampler": {"points": 12, "anchors": (6, 3), "neighbours": (4, 3)},
    "region_q_former": {"queries": 2, "size": 2, "positions": 16, "hidden": 16, "layers": 1, "heads": 2},
    "second_encoder": {"encoder": VISION, "size": 2},
}
MASK = np.zeros((20, 30), dtype=bool)
MASK[5:15, 3:12] = True
REGIONS = (Region(box=(0.1, 0.2, 0.6, 0.9)), Region(point=(0.3, 0.4)), Region(mask=MASK), Region(box=(0.0, 0.0, 1.0, 1.0)))


@pytest.fixture(params=[kind for kind in kinds(FOLDER) if not kind.startswith("_")])
def encoder(request: pytest.FixtureRequest) -> RegionEncoder:
    torch.manual_seed(0)
    spec = {"kind": request.param, **SMALL.get(request.param, {})}
    made: RegionEncoder = build(FOLDER, spec, RegionEncoder, width=WIDTH, out_width=OUT)
    return made.eval()


def sights(count: int) -> list[Sight]:
    """Different pictures, shown in different parts of the encoder's input."""
    layers = [{number: torch.randn(1, 16, WIDTH) for number in (1, 2)} for _ in range(count)]
    geometries = [Geometry((1.0, 0.5), (0.0, 0.25)), Geometry()]
    return [
        Sight(Prepared(torch.zeros(1), geometries[number % 2]), Features(layers[number][2], (4, 4), layers=layers[number]))
        for number in range(count)
    ]


def views(encoder: RegionEncoder, count: int) -> list[Prepared | None]:
    pixels = np.random.default_rng(0).integers(0, 255, (count, 40, 60, 3), dtype=np.uint8)
    return [encoder.view(Media("image", data=picture)) for picture in pixels]


def test_tokens_are_as_many_and_as_wide_as_promised(encoder: RegionEncoder) -> None:
    """Of boxes, points and masks; regions on two pictures are told apart, and do not change one another."""
    first, second = sights(2)
    own = views(encoder, 2)
    prepared = [encoder.prepare(region) for region in REGIONS]
    tokens = encoder(prepared, [first] * 4, [own[0]] * 4)
    assert [token.shape for token in tokens] == [(encoder.num_tokens(), OUT)] * 4
    mixed = encoder([*prepared, prepared[0]], [first, first, second, first, second], [own[0], own[0], own[1], own[0], own[1]])
    for place in (0, 1, 3):
        close(mixed[place], tokens[place])
    assert not torch.allclose(mixed[2], tokens[2]) and not torch.allclose(mixed[4], tokens[0])


def test_a_region_is_prepared_the_same_every_time(encoder: RegionEncoder) -> None:
    for region in REGIONS:
        assert torch.equal(encoder.prepare(region).inputs, encoder.prepare(region).inputs)


def test_every_parameter_learns(encoder: RegionEncoder) -> None:
    prepared = [encoder.prepare(region) for region in REGIONS]
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(not name.startswith("encoder."))
    torch.cat(encoder(prepared, sights(1) * 4, views(encoder, 1) * 4)).square().sum().backward()
    trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad and parameter.grad is None]
    assert trained == []


def test_regions_move_with_the_picture_on_the_input(encoder: RegionEncoder) -> None:
    """A wide picture is padded above and below: a box of the whole height reads the rows that show it, and no others."""
    if encoder.view(Media("image", data=np.zeros((4, 4, 3), dtype=np.uint8))) is not None:
        pytest.skip("looks at the picture with an encoder of its own")
    wide, _ = sights(2)
    x = wide.features.x.clone().unflatten(1, (4, 4))
    x[:, 0], x[:, 3] = x[:, 0] + 5, x[:, 3] - 5  # the padding
    changed = Sight(wide.prepared, Features(x.flatten(1, 2), (4, 4), layers={1: x.flatten(1, 2), 2: x.flatten(1, 2)}))
    inside = [encoder.prepare(Region(box=(0.4, 0.45, 0.5, 0.55)))]
    same = Sight(wide.prepared, Features(wide.features.x, (4, 4), layers={1: wide.features.x, 2: wide.features.x}))
    if type(encoder).__name__ in ("GeoSampler", "MaskPool"):  # the others look at the whole picture as well
        close(encoder(inside, [changed], [None])[0], encoder(inside, [same], [None])[0])


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
    golden.load(ours, gpt4roi.MULTI_LEVEL_ROI)
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
    tokens = ours.tokens(features, placed, image)[:, 0].split(boxes)
    for number, part in enumerate(tokens):
        close(part, golden[f"out/tokens_img{number}"], 1e-4, 1e-4)


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_the_geo_sampler_is_ferrets(pool: str) -> None:
    golden = Golden("ferret_geo_region_sampler")
    ours = GeoSampler(8, 12, points=24, anchors=(12, 6), neighbours=(5, 4), pool=pool, transposed=True)
    golden.load(ours, ferret.GEO_SAMPLER)
    features = Features(golden["in/feature_map"], (5, 5))
    points = torch.cat([golden["in/points_img0"], golden["in/points_img2"]])
    image = torch.tensor([0, 0, 2])
    close(ours.sampled(features, points, image), golden["out/sampled_features"])
    first = farthest_points(points, 12, torch.zeros(3, dtype=torch.long))
    assert torch.equal(first, golden["out/fps_stage0"])
    near = nearest_points(points, gather(points, first), 5)
    assert torch.equal(near.sort(dim=-1).values, golden["out/knn_stage0_sorted"])
    tokens = ours.tokens(features, points, image)[:, 0]
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


OTHERS = ("vision_model.embeddings.*", "vision_model.encoder.*", "language_model.*", "langauge_*", "*_embedding")
OTHERS += ("text_projection", "image_projection", "logit_scale")


def all_seeing() -> tuple[Golden, Features, RegionQFormer]:
    """The recording, what its tower gives before the last norm, and our part with its weights."""
    golden = Golden("all_seeing_region_qformer")
    config = hf.Blip2VisionConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=7
    )
    tower = hf.Blip2VisionModel(config).eval()
    golden.load(tower, {"": ""}, under="vision_model.")
    with torch.no_grad():
        raw = tower(golden["in/pixel_values"], output_hidden_states=True).hidden_states[-1]
    ours = RegionQFormer(16, 16, queries=3, size=2, positions=17, hidden=16, layers=2, heads=2, intermediate=24).eval()
    golden.load(ours, official.REGION_Q_FORMER, OTHERS)
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
    close(ours.tokens(features, boxes, image), golden["out/lm_visual_tokens"], 5e-5, 1e-4)


def test_regions_are_numbered_and_placed_as_in_gpt4roi_and_glamm() -> None:
    """`region1 <bbox>`, in the order of the questions; boxes in shares of the picture, as recorded of GLaMM's data code."""
    pixels = ((0, 0, 640, 480), (10, 20, 110, 220), (300, 100, 500, 200))
    boxes = [Region(box=(x1 / 640, y1 / 480, x2 / 640, y2 / 480)) for x1, y1, x2, y2 in pixels]
    turns = [
        Turn(role, (part,)) for box in (*boxes, boxes[1]) for role, part in (("user", box), ("assistant", Text("a thing")))
    ]
    sample = Sample("one", (Media("image", data=b""),), tuple(turns))
    regions = Regions("box", MaskPool(WIDTH, OUT), Decimals(), before="region{n} ")
    written = [
        "".join(getattr(stretch, "text", "<bbox>") for stretch in regions.write(box, sample)) for box in (*boxes, boxes[1])
    ]
    assert written == ["region1 <bbox>", "region2 <bbox>", "region3 <bbox>", "region2 <bbox>"]
    prepared = [prepared_box(box) for box in boxes]
    group = next(groups([sights(2)[1]] * 3))
    recorded = [[0, 0, 1, 1], [0.015625, 0.041667, 0.171875, 0.458333], [0.46875, 0.208333, 0.78125, 0.416667]]
    close(boxes_on_input(prepared, group), torch.tensor(recorded), 1e-6, 0)
