"""The world's own painter as heads use one: rectified flow in the space of a code book (`vistune.model.painting`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.painting.code_book import CodeBook
from vistune.model.painting.painter import Painter
from vistune.model.weights.assets import locate


@dataclass(frozen=True, slots=True)
class FlowDraws:
    """Everything random in a training step on n pictures: `noise [n, C, h, w]`, and how much of it there is, `time [n]`."""

    noise: Tensor
    time: Tensor


class FlowPainter(nn.Module):
    """A painter and the code book it paints with, both frozen."""

    def __init__(self, path: str, book: str = "builtin:code_book") -> None:
        super().__init__()
        self.model, self.book = Painter.load(locate(path)), CodeBook.load(locate(book))
        self.scale = self.book.codes.shape[1] ** 0.5  # vectors have length one, latents unit variance
        self.requires_grad_(False)

    @property
    def width(self) -> int:
        """Channels of a condition."""
        return int(self.model.config["condition_width"])

    @property
    def size(self) -> int:
        """The side of the pictures it paints, in pixels."""
        return self.model.side * self.book.patch

    def draw(self, count: int, device: torch.device) -> FlowDraws:
        """Fresh draws for `count` pictures."""
        noise = torch.randn((count, self.model.channels, self.model.side, self.model.side), device=device)
        return FlowDraws(noise, torch.randn(count, device=device).sigmoid())

    def losses(self, condition: Tensor, images: Tensor, draws: FlowDraws) -> Tensor:
        """The mean squared error of the direction from picture to noise, `[n]`; `condition [n, K, width]`."""
        with torch.no_grad():
            latents = self.scale * self.book.embed(self.book.encode(images))
        share = draws.time[:, None, None, None]
        said = self.model((1 - share) * latents + share * draws.noise, draws.time, condition)
        return F.mse_loss(said, draws.noise - latents, reduction="none").flatten(1).mean(dim=1)

    @torch.no_grad()
    def paint(self, condition: Tensor, null: Tensor, steps: int, guidance: float, seed: int) -> Tensor:
        """Pictures `[n, 3, size, size]` in [0, 1], by Euler steps led away from `null [1, K, width]`.

        Noise starts from `seed`, the same for each picture.
        """
        shape = (1, self.model.channels, self.model.side, self.model.side)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(condition).expand(len(condition), -1, -1, -1)
        both = torch.cat([condition, null.expand_as(condition)])
        for number in range(steps):
            now = torch.full((2 * len(condition),), 1 - number / steps, device=condition.device)
            told, free = self.model(torch.cat([x, x]), now, both).chunk(2)
            x = x - (free + guidance * (told - free)) / steps
        images = self.book.decode(self.book.nearest(F.normalize(x, dim=1)))
        return (images / 2 + 0.5).clamp(0, 1)
