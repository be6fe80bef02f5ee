"""Pictures as a grid of code words, row by row: a code book's words in the vocabulary (DALL-E, arXiv 2102.12092)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads._painter import as_media, as_target
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.model.painting.code_book import CodeBook
from vistune.model.weights.assets import locate
from vistune.prompt.writer import Stretch, Trigger, Words
from vistune.sample import Part, Produce, Sample

OPEN, CLOSE = "<picture>", "</picture>"


class GridCodes(Head):
    """A picture of `size` pixels a side is `<picture>`, a word `<code_00017>` for each cell of the code book at `book`, and
    `</picture>`, supervised like any words. The code book is frozen and draws the picture back.
    """

    makes = ("produce_image",)
    state = "predicting"
    spells = True
    losses: Mapping[str, float] = {}

    def __init__(self, book: str = "builtin:code_book", size: int = 64) -> None:
        super().__init__()
        self.book = CodeBook.load(locate(book))
        if size % self.book.patch:
            raise InputError(
                f"heads.grid_codes.size is {size}, expected a multiple of {self.book.patch}, the code book's patch"
            )
        self.size, self.side = size, size // self.book.patch
        self.tokens = (OPEN, CLOSE, *(code_word(number) for number in range(len(self.book.codes))))

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """As many words as cells; `spell` says later which."""
        return [Words(OPEN), *[Trigger(code_word(0))] * self.side**2, Words(CLOSE)]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1, 3, size, size]`: the picture in [-1, 1]."""
        assert isinstance(part, Produce)
        return Prepared(as_target(load_image(sample.media[part.index], sample.where), self.size))

    @torch.no_grad()
    def spell(self, things: Sequence[Thing]) -> list[list[str]]:
        """The words of each picture."""
        images = torch.cat([thing.ready.inputs for thing in things]).to(self.book.codes)
        return [[code_word(number) for number in row] for row in self.book.encode(images).flatten(1).tolist()]

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """None beside that of the words."""
        return {}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Nothing is made of states, but of words: `made_of_words`."""
        return []

    @torch.no_grad()
    def made_of_words(self, answer: str) -> list[Made]:
        """The pictures that an answer spells out whole."""
        rows = [[int(number) for number in _CODE.findall(piece.split(CLOSE)[0])] for piece in answer.split(OPEN)[1:]]
        # Generation may have been cut in the middle of a picture: half a grid is no picture.
        whole = [row for row in rows if len(row) == self.side**2 and max(row) < len(self.book.codes)]
        codes = torch.tensor(whole, dtype=torch.long, device=self.book.codes.device).view(-1, self.side, self.side)
        return list(as_media((self.book.decode(codes) / 2 + 0.5).clamp(0, 1)))


_CODE = re.compile(r"<code_(\d{5})>")


def code_word(number: int) -> str:
    """The word of a code."""
    return f"<code_{number:05d}>"
