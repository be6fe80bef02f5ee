"""Features of size one: what a connector reads is divided, and pictures' embeddings stay what they were."""

from __future__ import annotations

import torch

from vistune.pretrain.vision import Pretraining, clip_tokenizer, scale_down
from vistune.world.scene import make_scene


@torch.no_grad()
def test_features_are_divided_and_embeddings_stay() -> None:
    torch.manual_seed(0)
    model = Pretraining(clip_tokenizer())
    scale_down(model.clip, 1 / 16)  # as large as training makes them
    scenes = [make_scene(seed, "validation") for seed in range(4)]
    half_way, late, pictures = model.see(scenes)
    spread = model.spread()
    assert spread > 4
    scale_down(model.clip, spread)
    assert 0.7 < model.spread() < 1.5
    by = 2 ** torch.tensor(spread).log2().round()
    scaled_half_way, scaled_late, same_pictures = model.see(scenes)
    torch.testing.assert_close(scaled_half_way * by, half_way, rtol=1e-3, atol=1e-3 * spread)
    torch.testing.assert_close(scaled_late * by, late, rtol=1e-3, atol=1e-3 * spread)
    torch.testing.assert_close(same_pictures, pictures, rtol=0, atol=1e-3)
