"""Regions in a question: words for where a region is, a token for what is there, or both (Ferret, GPT4RoI, PVIT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from vistune.data.media.image import image_size
from vistune.model.features import Prepared, Sight, Thing
from vistune.model.modalities.base import Seen
from vistune.model.regions.base import RegionEncoder
from vistune.prompt.codec import Codec
from vistune.prompt.writer import Places, Stretch, Words
from vistune.sample import Part, Region, Sample


class Regions:
    """Regions of one kind through a region encoder, behind the codec's words, before them, or without any.

    `before` and `after` are further words around a region, e.g. `<region>`; `{n}` in them is the region's number among those
    of the sample's questions (GPT4RoI's `region1`).
    """

    def __init__(
        self,
        kind: str,
        encoder: RegionEncoder,
        codec: Codec,
        words: Literal["before", "after", "none"] = "none",
        before: str = "",
        after: str = "",
    ) -> None:
        self.reads, self.encoder, self.codec, self.words = kind, encoder, codec, words
        self._before, self._after = before, after

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """Coordinates in words, where asked for, and the places of the region's tokens."""
        assert isinstance(part, Region)
        places: list[Stretch] = [Places(self.encoder.num_tokens())]
        if self.words != "none":
            size = image_size(sample.media[part.media], sample.where) if self.codec.needs_size else None
            # No codec writes masks: in words, a mask is the box around it.
            said = Words(self.codec.encode(part, size) if part.mask is None else self.codec.encode_box(part.bounds(), size))
            places = [said, *places] if self.words == "before" else [*places, said]
        number = str(_number(part, sample)) if "{n}" in self._before + self._after else ""
        around = [[Words(text.replace("{n}", number))] if text else [] for text in (self._before, self._after)]
        return [*around[0], *places, *around[1]]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """Coordinates on the original medium."""
        assert isinstance(part, Region)
        return self.encoder.prepare(part)

    def tokens(self, things: Sequence[Thing], seen: Seen) -> tuple[list[Tensor], list[Sight]]:
        """Tokens of each region, from what was seen of the medium it lies on."""
        media = [seen[thing.on[0]][thing.on[1]] for thing in things if thing.on is not None]
        made: list[Tensor] = self.encoder([thing.ready for thing in things], media, [thing.view for thing in things])
        return made, []


def _number(region: Region, sample: Sample) -> int:
    """The number of a region among those of the sample's questions, from 1; named again, it keeps its number."""
    asked = [part for turn in sample.turns if turn.role == "user" for part in turn.parts if isinstance(part, Region)]
    return list(dict.fromkeys(asked)).index(region) + 1
