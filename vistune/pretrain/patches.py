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
from vistune.pretrain.dense import owners
from vistune.prompt.codecs.location_tokens import LocationTokens
from vistune.sample import Sample
from vistune.world.scene import SceneObject, make_scene
from vistune.world.tasks.detailed_caption import field

GRID = 8
PLACES = GRID * GRID
BACKGROUND = " ."
CORNERS = 4
BLUR_FROM = 0.2 / 64  # less is none


@dataclass(frozen=True)
class Patches:
    """Tells scenes to a language model in embeddings, with the numbers of a box in `codec`'s tokens.

    Each of a box's four tokens is turned by its own number of channels, so that the sum still tells which number is which.
    An encoder is not certain of what it sees, and what a connector makes of doubt is a mean: `blur`, drawn up to so much of the
    picture for each object, is how far a box is off, and each number the mean of the tokens around it. `noise` adds its share
    of the places' spread.
    """

    llm: LanguageModel
    codec: LocationTokens
    blur: float = 3 / 64
    noise: float = 0.2

    def tell(self, sample: Sample, places: int = PLACES, generator: torch.Generator | None = None) -> Tensor:
        """`[places, H]` in reading order of a sample of the world; exact without a `generator`.

        Of fewer than all places, every object keeps one and the others are drawn, those of objects first.
        """
        (seed,) = sample.meta["scenes"]
        things = make_scene(seed, sample.meta["split"]).objects
        rows = torch.stack([self._words(BACKGROUND), *(self._thing(thing, generator) for thing in things)])
        owner = torch.from_numpy(owners([thing.box for thing in things], GRID)).flatten()
        told = rows[owner[_kept(owner, places, generator)]]
        if generator is None:
            return told
        return told + self.noise * told.detach().std() * torch.randn(told.shape, generator=generator)

    def _thing(self, thing: SceneObject, generator: torch.Generator | None) -> Tensor:
        box, blur = torch.tensor(thing.box), 0.0
        if generator is not None:
            blur = self.blur * float(torch.rand(1, generator=generator))
            box = (box + blur * torch.randn(4, generator=generator)).clamp(0, 1)
        where = field(thing).split("the ")[1]
        total, width = self._words(f" {thing.size} {thing.colour} {thing.name} {thing.kind} {where}"), self.llm.width
        for corner, value in enumerate(box.tolist()):
            total = total + self._number(value, blur).roll((corner + 1) * width // (CORNERS + 1))
        return total

    def _number(self, value: float, blur: float) -> Tensor:
        """The embedding of a coordinate, or the mean of those around it."""
        if blur < BLUR_FROM:
            return self._words(self.codec.number(value))
        numbers = torch.arange(self.codec.bins + 1) / self.codec.bins
        weights = torch.softmax(-(((numbers - value) / blur) ** 2) / 2, dim=0)
        ids = self.llm.tokenizer.convert_tokens_to_ids(self.codec.tokens)
        return weights @ self.llm.embed(torch.tensor(ids))

    def _words(self, text: str) -> Tensor:
        ids = self.llm.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.llm.embed(torch.tensor(ids)).sum(dim=0)


def _kept(owner: Tensor, places: int, generator: torch.Generator | None) -> Tensor:
    """Which `places` of the picture's are told, in reading order."""
    order = torch.rand(len(owner), generator=generator) + (owner == 0)
    for number in range(1, int(owner.max()) + 1):
        order[order.where(owner == number, torch.inf).argmin()] = -1
    return order.topk(places, largest=False).indices.sort().values
