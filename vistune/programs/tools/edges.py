"""`edges`: where a picture's brightness changes."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from vistune.data.media.image import load_image
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Media


class Edges(ToolPart):
    """The length of the brightness' gradient (Sobel), the steepest white, after a blur of `sigma` pixels."""

    def __init__(self, sigma: float = 1.0, name: str = "Edge Detection On Image") -> None:
        self.name, self.use = name, "Finds the edges in a picture."
        self._sigma = sigma

    def __call__(self, image: Image) -> Media:
        """The map of edges."""
        gray = gaussian_filter(np.asarray(load_image(image).convert("L"), dtype=np.float64), self._sigma)
        steep = np.hypot(sobel(gray, axis=0), sobel(gray, axis=1))
        levels = np.rint(255 * steep / max(steep.max(), 1e-9)).astype(np.uint8)
        return Media("image", data=np.repeat(levels[..., None], 3, axis=-1))
