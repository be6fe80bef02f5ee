"""Regions drawn into pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vistune.draw import COLOURS, draw_regions
from vistune.sample import Region


def test_a_mask_is_laid_over_what_it_covers_and_nothing_else() -> None:
    mask = np.zeros((10, 20), dtype=bool)
    mask[:5, :10] = True
    drawn = np.asarray(draw_regions(Image.new("RGB", (40, 20), "white"), [Region(mask=mask)]))
    red, green, blue = (int(COLOURS[0][place : place + 2], 16) for place in (1, 3, 5))
    covered = drawn[:10, :20].reshape(-1, 3)
    assert (abs(covered - (np.array([red, green, blue]) + 255) / 2) <= 1.5).all()
    assert (drawn[10:] == 255).all() and (drawn[:, 20:] == 255).all()


def test_an_empty_mask_leaves_the_picture_as_it_is() -> None:
    picture = Image.new("RGB", (8, 8), "white")
    assert (np.asarray(draw_regions(picture, [Region(mask=np.zeros((8, 8), dtype=bool))])) == 255).all()
