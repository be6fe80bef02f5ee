"""Reads objects off made pictures with the shipped encoder: a linear read-out of the name and the colour under a box.

It is fitted to true training scenes and then asked about pictures that were reconstructed or painted, so that their score is
what the encoder still recognises in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPModel

from vistune.model.weights.assets import locate
from vistune.pretrain.dense import owners
from vistune.pretrain.vision import IMAGE_SIZE, MEAN, PATCH_SIZE, STD
from vistune.sample import Box
from vistune.world.digits import Split
from vistune.world.scene import Scene, make_scene

GRID = IMAGE_SIZE // PATCH_SIZE
TAUGHT_SCENES = 1500


def pixels(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures as `[N, 3, 64, 64]` in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


class Encoder(nn.Module):
    """The shipped encoder (or another of its size), frozen; features of its last layer but one."""

    def __init__(self, path: str = "builtin:clip") -> None:
        super().__init__()
        clip = CLIPModel.from_pretrained(Path(locate(path)), dtype=torch.float32)
        self.tower = clip.vision_model.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """`[N, 3, 64, 64]` in [-1, 1] -> patch features `[N, 64, 192]`."""
        scaled = ((pictures + 1) / 2 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        hidden: Tensor = self.tower(scaled, output_hidden_states=True).hidden_states[-2][:, 1:]
        return hidden


def mean_under(features: Tensor, boxes: Sequence[Box]) -> NDArray[np.float32]:
    """`[boxes, 192]`: the mean feature of the patches `[64, 192]` that belong to each of a picture's boxes."""
    owner = torch.from_numpy(owners(boxes, GRID)).flatten()
    rows = []
    for number, (x1, y1, x2, y2) in enumerate(boxes, 1):
        mine = owner == number
        if not mine.any():  # a thing so small that no patch is its own: the patch of its middle
            mine[int((y1 + y2) / 2 * GRID) * GRID + int((x1 + x2) / 2 * GRID)] = True
        rows.append(features[mine].mean(dim=0))
    return torch.stack(rows).numpy()


class ObjectReader:
    """Names and colours of the objects of pictures whose places are known."""

    def __init__(self, encoder: Encoder, scenes: int = TAUGHT_SCENES) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.encoder = encoder
        taught = [make_scene(seed, "train") for seed in range(10**6, 10**6 + scenes)]
        features = self._features([scene.image for scene in taught], taught)
        things = [thing for scene in taught for thing in scene.objects]
        self._name = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        self._colour = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        self._name.fit(features, [thing.name for thing in things])
        self._colour.fit(features, [thing.colour for thing in things])

    @torch.no_grad()
    def _features(self, images: Sequence[NDArray[np.uint8]], scenes: Sequence[Scene]) -> NDArray[np.float32]:
        found = []
        for first in range(0, len(images), 64):
            features = self.encoder(pixels(images[first : first + 64]))
            found += [
                mean_under(row, [thing.box for thing in scene.objects])
                for row, scene in zip(features, scenes[first : first + 64], strict=True)
            ]
        return np.concatenate(found)

    @torch.no_grad()
    def read(self, image: NDArray[np.uint8], box: Box | None) -> tuple[str, str]:
        """The name and the colour of what lies under a box of a picture; two empty words without a box."""
        if box is None:
            return "", ""
        feature = mean_under(self.encoder(pixels([image]))[0], [box])
        return str(self._name.predict(feature)[0]), str(self._colour.predict(feature)[0])

    def accuracy(self, images: Sequence[NDArray[np.uint8]], scenes: Sequence[Scene]) -> dict[str, float]:
        """Share of the scenes' objects whose `name` and `colour` are read right off `images` (uint8 `[64, 64, 3]`)."""
        features = self._features(images, scenes)
        things = [thing for scene in scenes for thing in scene.objects]
        return {
            "name": float(self._name.score(features, [thing.name for thing in things])),
            "colour": float(self._colour.score(features, [thing.colour for thing in things])),
        }


def held_out(split: Split, count: int) -> list[Scene]:
    """The first scenes of a split."""
    return [make_scene(seed, split) for seed in range(count)]
