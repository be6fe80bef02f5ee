"""A scene told patch by patch: one place a patch, which holds the embeddings of the words for what lies there, summed.

    picture     . . . . .          embeddings    E(.)  E(.)  E(.)  E(.)  E(.)
                . 7 7 . .                        E(.)  S     S     E(.)  E(.)      S = E(large) + E(red) + E(seven) + ...
                . 7 7 . .                        E(.)  S     S     E(.)  E(.)

A written list of 64 patches is several hundred tokens, and what belongs to one patch has to be gathered from neighbours first.
Laid on top of each other the words take one place, as they do in the features of a picture: what a linear read-out finds in a
patch of the encoder (its object's name, colour, size, field of the picture and box) is what a place holds here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vistune.model.language import LanguageModel
from vistune.prompt.codec import Codec
from vistune.sample import Box, Sample
from vistune.world.expressions import phrase
from vistune.world.scene import SceneObject, make_scene
from vistune.world.tasks.detailed_caption import field

GRID = 8
PLACES = GRID * GRID
COVER = 0.3  # as in the encoder's dense labels: a patch shows an object whose box covers this much of it
BACKGROUND = " ."
CORNERS = 4


@dataclass(frozen=True)
class Patches:
    """Tells scenes to a language model in embeddings, with the numbers of a box in `codec`'s tokens.

    Each of a box's four tokens is turned by its own number of channels, so that the sum still tells which number is which.
    `jitter` moves boxes by up to so much of the picture and `noise` adds its share of the places' spread: an encoder is not
    certain either.
    """

    llm: LanguageModel
    codec: Codec
    jitter: float = 1 / 64
    noise: float = 0.2

    def tell(self, sample: Sample, generator: torch.Generator | None = None) -> Tensor:
        """`[PLACES, H]` in reading order of a sample of the world; exact without a `generator`."""
        (seed,) = sample.meta["scenes"]
        things = make_scene(seed, sample.meta["split"]).objects
        rows = torch.stack([self._words(BACKGROUND), *(self._thing(thing, generator) for thing in things)])
        places = rows[owners([thing.box for thing in things])]
        if generator is None:
            return places
        return places + self.noise * places.detach().std() * torch.randn(places.shape, generator=generator)

    def _thing(self, thing: SceneObject, generator: torch.Generator | None) -> Tensor:
        box = torch.tensor(thing.box)
        if generator is not None:
            box = (box + self.jitter * (2 * torch.rand(4, generator=generator) - 1)).clamp(0, 1)
        where = field(thing).split("the ")[1]
        total, width = self._words(f" {phrase(thing, size=True)} {thing.kind} {where}"), self.llm.width
        for corner, value in enumerate(box.tolist()):
            total = total + self._words(self.codec.number(value)).roll((corner + 1) * width // (CORNERS + 1))
        return total

    def _words(self, text: str) -> Tensor:
        ids = self.llm.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.llm.embed(torch.tensor(ids)).sum(dim=0)


def owners(boxes: list[Box]) -> Tensor:
    """`[PLACES]`: the number, from one, of the box that covers most of each patch; zero where none covers enough."""
    edges = torch.arange(GRID + 1)
    best, owner = torch.full((GRID, GRID), COVER), torch.zeros((GRID, GRID), dtype=torch.long)
    for number, box in enumerate(boxes, 1):
        x1, y1, x2, y2 = (value * GRID for value in box)
        across = (edges[1:].clamp(max=x2) - edges[:-1].clamp(min=x1)).clamp(min=0)
        down = (edges[1:].clamp(max=y2) - edges[:-1].clamp(min=y1)).clamp(min=0)
        cover = down[:, None] * across
        owner[cover > best] = number
        best = torch.maximum(best, cover)
    return owner.flatten()
