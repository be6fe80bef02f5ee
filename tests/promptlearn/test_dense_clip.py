from __future__ import annotations

import torch

from tests.promptlearn.golden import NAMES, Case
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Context, Edits
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.towers.dense_clip import DenseClip

PHOTO = Classes(NAMES[:3], "a photo of a {}.")


def model(clip):
    torch.manual_seed(0)
    return DenseClip(clip, PHOTO, width=32)


def test_shapes_and_score_map_without_the_context_decoder(clip):
    dense, engine, images = model(clip).eval(), Engine(clip), Case("clip_zero_shot").images
    masks, scores = dense(engine, images)
    assert masks.shape == (4, 3, 8, 8)
    assert scores.shape == (4, 3, 4, 4)
    with torch.no_grad():
        dense.gamma.zero_()
    plain = engine.text(PHOTO, Edits(contexts=(Context(dense.ctx, template="{}"),))).features
    hidden = engine._below(images.pixels, 4)[:, 1:]
    expected = unit(clip.vision.project(hidden)) @ unit(plain).T
    torch.testing.assert_close(dense(engine, images)[1], expected.mT.unflatten(2, (4, 4)), atol=1e-5, rtol=1e-5)


def test_it_learns_masks_and_ignores_what_is_unlabelled(clip):
    dense, engine, images = model(clip), Engine(clip), Case("clip_zero_shot").images
    labels = torch.zeros(4, 16, 16, dtype=torch.long)
    labels[:, 8:] = 1
    labels[:, :, 12:] = 2
    labels[:, 0] = 255
    optimizer = torch.optim.AdamW(dense.parameters(), lr=1e-2)
    values = []
    for _ in range(25):
        optimizer.zero_grad()
        losses = dense.losses(engine, images, labels)
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        values.append(float(losses["mask"].detach()))
    assert values[-1] < 0.5 * values[0]
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in dense.parameters())
    dense.eval()
    without = labels.clone()
    without[:] = 255
    without[:, 4, 4] = 0
    one = dense.losses(engine, images, without)["mask"]
    up = torch.nn.functional.interpolate(dense(engine, images)[0], (16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(one, -up.log_softmax(1)[:, 0, 4, 4].mean())


def test_the_towers_stay_frozen(clip):
    own = {id(p) for p in model(clip).parameters()}
    assert not own & {id(p) for p in clip.model.parameters()}
