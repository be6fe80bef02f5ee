from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.promptlearn.golden import NAMES, Case
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.towers.two_stream import TwoStream

PHOTO = Classes(NAMES[:2], "a photo of a {}.")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_frozen_tower_at_the_start(clip, channels):
    engine, images = Engine(clip), Case("clip_zero_shot").images
    model = TwoStream(clip, channels=channels)
    logits = model(engine, images, torch.randn(4, channels, 32, 32), PHOTO)
    expected = clip.logits(engine.image(images).features, engine.text(PHOTO).features)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)


def test_it_learns_what_only_the_second_stream_shows(clip):
    """The same picture four times: only depth tells the classes apart."""
    torch.manual_seed(0)
    pixels = Case("clip_zero_shot").images.pixels[:1].expand(4, -1, -1, -1)
    depth = torch.stack([torch.full((1, 32, 32), value) for value in (-1.0, 1.0, -1.0, 1.0)])
    labels = torch.tensor([0, 1, 0, 1])
    engine, model = Engine(clip), TwoStream(clip)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(engine, Images(pixels), depth, PHOTO), labels).backward()
        optimizer.step()
    assert torch.equal(model(engine, Images(pixels), depth, PHOTO).argmax(1), labels)


def test_shortcuts_change_nothing(clip):
    torch.manual_seed(0)
    pixels = Case("clip_zero_shot").images.pixels
    model, depth = TwoStream(clip), torch.randn(4, 1, 32, 32)
    for gate in model.gates:
        torch.nn.init.normal_(gate.out.weight, std=0.1)
    bank = Bank(lambda ids: pixels[list(ids)], 4)
    fast = model(Engine(clip), Images(bank=bank, ids=torch.arange(4)), depth, PHOTO)
    plain = model(Engine.plain(clip), Images(pixels), depth, PHOTO)
    torch.testing.assert_close(fast, plain, atol=2e-5, rtol=1e-5)
    assert list(bank._kept) == ["level 0"]
