"""The contract of region encoders: regions of a medium -> tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from vistune.model.features import Prepared, Sight
from vistune.model.part import Part
from vistune.sample import Media, Region


class RegionEncoder(Part):
    """Boxes, points and masks on a medium -> tokens of the language model's width, from the features of the medium.

    The builder gives `width` (of the medium's features) and `out_width`. A region encoder with an encoder of its own says with
    `view` how it wants to see the medium: every thing then carries it.
    """

    @abstractmethod
    def num_tokens(self) -> int:
        """How many tokens a region takes."""

    @abstractmethod
    def prepare(self, region: Region) -> Prepared:
        """A region's coordinates on the *original* medium, on the CPU; the medium's geometry brings them onto the input."""

    @abstractmethod
    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        """Tokens `[K, H]` of each region, given what was seen of the medium it lies on, and the view it asked for.

        Regions on one medium share its `Sight` (the same `prepared`) and their view: its work is done once.
        """

    def view(self, medium: Media, where: str = "") -> Prepared | None:
        """The medium as an encoder of the region encoder's own wants it; None where it looks at the model's features."""
        return None
