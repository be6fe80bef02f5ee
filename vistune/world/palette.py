"""Six ink colours that cannot be mistaken for one another, in a shade for dark and a shade for light backgrounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAMES = ("red", "green", "blue", "yellow", "purple", "cyan")

_ON_DARK = {
    "red": (235, 50, 45),
    "green": (50, 190, 60),
    "blue": (60, 95, 255),
    "yellow": (250, 220, 40),
    "purple": (185, 75, 225),
    "cyan": (60, 220, 230),
}
_ON_LIGHT = {
    "red": (205, 20, 25),
    "green": (15, 130, 35),
    "blue": (25, 50, 215),
    "yellow": (225, 175, 0),
    "purple": (135, 35, 165),
    "cyan": (0, 165, 185),
}
_SHADES = {
    dark: {name: np.array(shade, dtype=np.float32) for name, shade in shades.items()}
    for dark, shades in ((True, _ON_DARK), (False, _ON_LIGHT))
}
_JITTER = 12


def ink(colour: str, dark_background: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """A slightly varied RGB value `[3]` (0-255) of the colour, in the shade that stands out from the background."""
    return np.clip(_SHADES[dark_background][colour] + rng.uniform(-_JITTER, _JITTER, 3), 0, 255).astype(np.float32)
