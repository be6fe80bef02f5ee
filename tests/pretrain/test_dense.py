"""Dense labels agree with the scenes they describe."""

from __future__ import annotations

import torch

from vistune.model.painting.painter import grid_waves
from vistune.pretrain.dense import NOTHING, DenseHeads, dense_targets, ink_around
from vistune.pretrain.vision import COLOURS, NAMES
from vistune.world.scene import make_scene

SCENES = [make_scene(seed) for seed in range(20)]
TARGETS = dense_targets(SCENES, 8, NAMES, COLOURS)


def test_a_patch_names_the_object_whose_box_holds_its_centre_or_nothing() -> None:
    for index, scene in enumerate(SCENES):
        for row in range(8):
            for column in range(8):
                x, y = (column + 0.5) / 8, (row + 0.5) / 8
                inside = [o for o in scene.objects if o.box[0] < x < o.box[2] and o.box[1] < y < o.box[3]]
                name = int(TARGETS.names[index, row * 8 + column])
                if name == NOTHING:
                    assert not inside or all(_cover(o.box, row, column) < 0.5 for o in inside)
                elif inside:
                    assert NAMES[name - 1] in {o.name for o in scene.objects}


def _cover(box: tuple[float, float, float, float], row: int, column: int) -> float:
    width = min(column + 1, 8 * box[2]) - max(column, 8 * box[0])
    return max(0.0, width) * max(0.0, min(row + 1, 8 * box[3]) - max(row, 8 * box[1]))


def test_boxes_and_colours_belong_to_the_named_object() -> None:
    for index, scene in enumerate(SCENES):
        truth = {tuple(round(v, 5) for v in o.box): o for o in scene.objects}
        for place in torch.nonzero(TARGETS.names[index]).flatten().tolist():
            thing = truth[tuple(round(v, 5) for v in TARGETS.boxes[index, place].tolist())]
            assert thing.name == NAMES[int(TARGETS.names[index, place]) - 1]
            assert thing.colour == COLOURS[int(TARGETS.colours[index, place]) - 1]


def test_ink_around_a_patch_is_the_pooled_mask_of_its_neighbourhood() -> None:
    ink = ink_around(SCENES, 8)
    assert ink.shape == (20, 64, 144)
    mask = torch.zeros(80, 80)
    for thing in SCENES[0].objects:
        mask[8:72, 8:72] = torch.maximum(mask[8:72, 8:72], torch.from_numpy(thing.mask).float())
    window = mask[3 * 8 : 3 * 8 + 24, 5 * 8 : 5 * 8 + 24]  # around row 3, column 5
    expected = window.reshape(12, 2, 12, 2).mean(dim=(1, 3)).flatten()
    assert torch.equal(ink[0, 3 * 8 + 5], expected)


def test_kept_patches_hold_every_object_before_any_background() -> None:
    kept = TARGETS.crowded_first(40, torch.Generator().manual_seed(0))
    assert all(len(set(row.tolist())) == 40 for row in kept)
    chosen = TARGETS.at(kept)
    assert torch.equal((chosen.names != NOTHING).sum(1), (TARGETS.names != NOTHING).sum(1))
    assert torch.equal(chosen.boxes[0, 0], TARGETS.boxes[0, kept[0, 0]])


def test_heads_learn_to_read_what_features_say() -> None:
    torch.manual_seed(0)
    heads = DenseHeads(64, len(NAMES), len(COLOURS), cells=144)
    features = torch.nn.functional.one_hot(TARGETS.names, 64).float()
    optimizer = torch.optim.Adam(heads.parameters(), lr=0.05)
    for _ in range(30):
        losses = heads(features, features, TARGETS)
        optimizer.zero_grad()
        losses["name"].backward()
        optimizer.step()
    assert set(losses) == {"name", "colour", "box", "ink"}
    hits = heads.accuracy(features, SCENES, TARGETS, NAMES)
    assert sum(hits[kind][0] for kind in ("digit", "shape", "word")) == sum(
        hits[kind][1] for kind in ("digit", "shape", "word")
    )


def test_neighbouring_positions_start_out_alike() -> None:
    positions = grid_waves(8, 64)
    near, far = positions[0] @ positions[1], positions[0] @ positions[63]
    assert positions.shape == (64, 64) and near > far
