"""The world's own painter as heads use one: rectified flow in pixels (`vistune.model.painting`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.painting.painter import Painter
from vistune.model.weights.assets import locate


@dataclass(frozen=True, slots=True)
class FlowDraws:
    """Everything random in a training step on n pictures: `noise [n, 3, h, w]`, and how much of it there is, `time [n]`."""

    noise: Tensor
    time: Tensor


class FlowPainter(nn.Module):
    """A painter, frozen."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.model = Painter.load(locate(path)).requires_grad_(False)

    @property
    def width(self) -> int:
        """Channels of a condition."""
        return int(self.model.config["condition_width"])

    @property
    def size(self) -> int:
        """The side of the pictures it paints, in pixels."""
        return self.model.side

    def draw(self, count: int, device: torch.device) -> FlowDraws:
        """Fresh draws for `count` pictures."""
        noise = torch.randn((count, 3, self.size, self.size), device=device)
        # Times by a logit-normal: most of the learning is in the middle, where picture and noise are both half there.
        return FlowDraws(noise, torch.randn(count, device=device).sigmoid())

    def losses(self, condition: Tensor, images: Tensor, draws: FlowDraws) -> Tensor:
        """The mean squared error of the direction from picture to noise, `[n]`; `condition [n, K, width]`."""
        share = draws.time[:, None, None, None]
        # A straight path from picture (time 0) to noise (time 1); its direction is the same at every time.
        said = self.model((1 - share) * images + share * draws.noise, draws.time, condition)
        return F.mse_loss(said, draws.noise - images, reduction="none").flatten(1).mean(dim=1)

    @torch.no_grad()
    def paint(self, condition: Tensor, null: Tensor, steps: int, guidance: float, seed: int) -> Tensor:
        """Pictures `[n, 3, size, size]` in [0, 1], by Euler steps led away from `null [1, K, width]`.

        Noise starts from `seed`, the same for each picture.
        """
        noise = torch.randn((1, 3, self.size, self.size), generator=torch.Generator().manual_seed(seed)).to(condition)
        images = self.model.paint(condition, null, noise.expand(len(condition), -1, -1, -1), steps, guidance)
        return (images / 2 + 0.5).clamp(0, 1)
