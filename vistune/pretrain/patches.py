"""A scene told patch by patch: one place a patch, which holds the embeddings of the words for what lies there, and its box.

    picture     . . . . .          embeddings    E(.)  E(.)  E(.)  E(.)  E(.)
                . 7 7 . .                        E(.)  S     S     E(.)  E(.)      S = E(red) + E(seven) + E(digit) + box
                . 7 7 . .                        E(.)  S     S     E(.)  E(.)

A written list of 64 patches is several hundred tokens, and what belongs to one patch has to be gathered from neighbours first.
Laid on top of each other the words take one place, as they do in the features of a picture: what a linear read-out finds in a
patch of an encoder (its object's name, its colour, the log-odds of its box's edges) is what a place holds here, and nothing
that has to be worked out first, such as a size or a token of a number. So a connector between the two can be simple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vistune.model.language.causal import LanguageModel
from vistune.pretrain.dense import owners
from vistune.pretrain.telling import Place
from vistune.sample import Sample
from vistune.world.scene import SceneObject, make_scene

GRID = 8
PLACES = GRID * GRID
BACKGROUND = " ."
NEAREST = 1 / 64  # no edge is told nearer to the picture's own, where log-odds run away
LOG_ODDS = 1.5  # to the length of a word


@dataclass(frozen=True)
class Patches:
    """Tells scenes to a language model in embeddings.

    An encoder is not certain of what it sees, and a connector says more than is asked of it: `blur`, drawn up to so much of
    the picture for each object, is how far the edges of its box are off; to every place is added a draw of its own and one
    common to all of the scene's, each up to `noise` of the places' spread.
    """

    llm: LanguageModel
    blur: float = 3 / 64
    noise: float = 0.4

    def tell(self, sample: Sample, places: int = PLACES, generator: torch.Generator | None = None) -> Tensor:
        """`[places, H]` in reading order of a sample of the world; exact without a `generator`.

        Of fewer than all places, every object keeps one and the others are drawn, those of objects first.
        """
        (seed,) = sample.meta["scenes"]
        things = make_scene(seed, sample.meta["split"]).objects
        boxes = torch.stack([self._box(thing, generator) for thing in things])
        named = torch.stack([self._words(f" {thing.colour} {thing.name} {thing.kind}") for thing in things])
        rows = torch.cat([self._words(BACKGROUND)[None], named + self.edges(boxes)])
        owner = torch.from_numpy(owners([thing.box for thing in things], GRID)).flatten()
        return self._disturbed(rows[owner[_kept(owner, places, generator)]], generator)

    def tell_places(self, places: Sequence[Place], generator: torch.Generator | None = None) -> Tensor:
        """`[places, H]` of another sense's (`vistune.pretrain.telling`), with the same noise; boxes are exact."""
        nothing = torch.zeros(self.llm.width)
        rows = [
            self._each(place.words) + (nothing if place.box is None else self.edges(torch.tensor(place.box)))
            for place in places
        ]
        return self._disturbed(torch.stack(rows), generator)

    def _disturbed(self, told: Tensor, generator: torch.Generator | None) -> Tensor:
        """With a draw of each place's own and one common to all added."""
        if generator is None:
            return told
        own, common = self.noise * told.detach().std() * torch.rand(2, generator=generator)
        told += own * torch.randn(told.shape, generator=generator) + common * torch.randn(self.llm.width, generator=generator)
        return told

    def _box(self, thing: SceneObject, generator: torch.Generator | None) -> Tensor:
        box = torch.tensor(thing.box)
        if generator is None:
            return box
        return box + self.blur * torch.rand(1, generator=generator) * torch.randn(4, generator=generator)

    def edges(self, boxes: Tensor) -> Tensor:
        """`[..., H]` of `boxes [..., 4]`: the log-odds of each edge along a direction of its own, in lengths of a word."""
        length = self.llm.embeddings.detach().norm(dim=1).mean()
        told: Tensor = length * torch.logit(boxes, eps=NEAREST) / LOG_ODDS @ _directions(self.llm.width)
        return told

    def _each(self, text: str) -> Tensor:
        """The sum of the words' embeddings, of a word of several tokens their sum at the length of one."""
        told = torch.zeros(self.llm.width)
        for word in text.split():
            ids = self.llm.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
            told = told + self.llm.embed(torch.tensor(ids)).sum(dim=0) / len(ids) ** 0.5
        return told

    def _words(self, text: str) -> Tensor:
        ids = self.llm.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.llm.embed(torch.tensor(ids)).sum(dim=0)


def _kept(owner: Tensor, places: int, generator: torch.Generator | None) -> Tensor:
    """Which `places` of the picture's are told, in reading order."""
    order = torch.rand(len(owner), generator=generator) + (owner == 0)
    for number in range(1, int(owner.max()) + 1):
        order[order.where(owner == number, torch.inf).argmin()] = -1
    return order.topk(places, largest=False).indices.sort().values


@cache
def _directions(width: int) -> Tensor:
    """`[4, width]`: one for each edge of a box, at right angles."""
    drawn = torch.randn(width, 4, generator=torch.Generator().manual_seed(0))
    directions: Tensor = torch.linalg.qr(drawn).Q.T
    return directions
