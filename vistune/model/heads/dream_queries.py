"""Pictures from learned queries that a diffusion model is conditioned on: DreamLLM (arXiv 2309.11499, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vistune.data.media.image import load_image
from vistune.model.features import Prepared, Thing
from vistune.model.heads._any_painter import read_painter
from vistune.model.heads._painter import as_media, as_target
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Aside, Places, Stretch, Words
from vistune.sample import Part, Produce, Sample

OPEN, CLOSE = "<dream_start>", "<dream_end>"


class DreamQueries(Head):
    """`queries` learned embeddings stand behind `<dream_start>`; their states, through one layer without bias, condition the
    UNet of `painter` (diffusers, by directory or hub id; frozen).

    The loss is that of denoising the picture, with a gradient through the UNet; `snr_gamma`, `noise_offset` and
    `input_perturbation` are its options (`Painter`; the world's own painter has none). With a chance of `drop` a picture's
    condition is replaced by that of an empty prompt, the queries alone, which painting is later guided away from. DreamLLM's
    training code leaves the queries out of that prompt, its painting has them: here they are always there.
    """

    makes = ("produce_image",)
    state = "own"
    fills = True
    opens = OPEN
    tokens = (OPEN, CLOSE)
    losses: Mapping[str, float] = {"denoising": 10.0}

    def __init__(
        self,
        width: int,
        painter: str,
        queries: int = 64,
        drop: float = 0.0,
        snr_gamma: float | None = None,
        noise_offset: float = 0.0,
        input_perturbation: float = 0.0,
        steps: int = 50,
        guidance: float = 7.5,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.drop, self.steps, self.guidance = drop, steps, guidance
        self.painter = read_painter(
            painter, load_weights, snr_gamma=snr_gamma, noise_offset=noise_offset, input_perturbation=input_perturbation
        )
        self.queries = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.project = nn.Linear(width, self.painter.width, bias=False)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The queries between their tokens, of which the model says the first; aside, the queries behind nothing."""
        places = Places(len(self.queries))
        return [Words(OPEN), places, Words(CLOSE, said=False), Aside((Words(OPEN, said=False), places), alone=True)]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1, 3, size, size]`: the picture to paint, in [-1, 1]."""
        assert isinstance(part, Produce)
        return Prepared(as_target(load_image(sample.media[part.index], sample.where), self.painter.size))

    def fill(self, count: int) -> Tensor:
        """The queries."""
        return self.queries

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """The denoising loss of each picture. Of each thing, `hidden` has the states of the queries and of those aside."""
        # Each thing has two slots of the same queries, in the answer and aside, laid one behind the other by `states_of`.
        led, empty = torch.stack(list(hidden)).chunk(2, dim=1)
        images = torch.cat([thing.ready.inputs for thing in things]).to(led)
        dropped = (torch.rand(len(images), device=led.device) < self.drop).to(led.dtype)
        draws = self.painter.draw(len(images), led.device)
        return {"denoising": Loss(self.denoising(led, empty, dropped, images, draws).sum(), "produce_image")}

    def denoising(self, led: Tensor, empty: Tensor, dropped: Tensor, images: Tensor, draws: Any) -> Tensor:
        """The loss of each picture `[n]`, given all that is random; `dropped [n]` is 1 where the condition is replaced."""
        mixed = torch.lerp(led, empty, dropped[:, None, None])
        return self.painter.losses(self.project(mixed), images, draws)

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Pictures, painted in `steps` steps away from the empty prompt."""
        with torch.no_grad():
            led, empty = self.project(torch.stack(list(hidden))).chunk(2, dim=1)
            return list(as_media(self.painter.paint(led, empty[:1], self.steps, self.guidance, seed=0)))
