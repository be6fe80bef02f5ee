"""An abstractor for the crops of a document, which are told apart by their places (PaperOwl, arXiv 2311.18248, section 4.1).

whole (r, r)   crop (0, 0)   crop (0, 1)   crop (1, 0)   ...        a crop's place is added to all its queries: half of its
                                                                    row's vector and of its column's; r: see `whole`
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.visual_abstractor import VisualAbstractor
from vistune.model.features import Layout, Tiling


class AnchoredAbstractor(VisualAbstractor):
    """A visual abstractor without positions of patches, run crop by crop; behind its layers each crop is told its place.

    `places` vectors for rows and as many for columns; the view of the whole has place `whole` in both (PaperOwl's grids reach
    up to 2, DocOwl 1.5's list up to 9). The end token gets no place. The encoder cuts pictures, as `anyres` or `anchors` do.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        queries: int = 64,
        depth: int = 6,
        heads: int = 16,
        hidden: int = 2816,
        places: int = 15,
        whole: int = 2,
    ) -> None:
        super().__init__(width, out_width, queries, depth, heads, hidden, positions=False)
        self.whole = whole
        self.rows = nn.Parameter(torch.randn(places, width) * 0.02)
        self.columns = nn.Parameter(torch.randn(places, width) * 0.02)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """The tokens of one picture's crops `[T, queries + 1, H]`, the whole first, each with its place.

        Places belong in front of the projection; that is linear, so theirs is added behind it.
        """
        rows, columns = crop_places(layout.tiling, self.whole)
        if max(*rows, *columns) >= len(self.rows):
            raise InputError(
                f"connectors.anchored_abstractor has {len(self.rows)} places, but a crop stands at {max(*rows, *columns)}"
            )
        # Without the projection's bias, which the tokens have got already.
        places = (self.rows[rows] + self.columns[columns]) / 2 @ self.proj.weight.T
        placed = tokens[:, :-1] + places[:, None].to(tokens)
        return torch.cat([placed, tokens[:, -1:]], dim=1)


def crop_places(tiling: Tiling | None, whole: int) -> tuple[list[int], list[int]]:
    """Rows and columns of the whole and of its crops, row by row; a picture that is one input is a whole."""
    if tiling is None:
        return [whole], [whole]
    crops = [(row, column) for row in range(tiling.rows) for column in range(tiling.columns)]
    return [whole, *(row for row, _ in crops)], [whole, *(column for _, column in crops)]
