"""Features of a second encoder at a box: the region tokens of PVIT (arXiv 2308.13437, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Prepared, Sight, joined
from vistune.model.regions._places import box_of, on_input
from vistune.model.regions.base import RegionEncoder
from vistune.model.sampling.roi_align import roi_align
from vistune.sample import Media, Region
from vistune.spec import Spec, build


class SecondEncoder(RegionEncoder):
    """`encoder` sees the picture anew; its features in the box, averaged over `size` x `size` bins, are projected to a token.

    With `place`, a linear layer of the box's coordinates on the original is added (PVIT's second stage; its first has none).
    PVIT's encoder is RegionCLIP; any encoder of pictures that gives patches in a grid may stand here. No gradient goes through
    an encoder that no stage trains.
    """

    def __init__(
        self, width: int, out_width: int, encoder: Spec, size: int = 7, place: bool = True, load_weights: bool = True
    ) -> None:
        super().__init__()
        self.encoder: ImageEncoder = build("vistune.model.encoders", encoder, ImageEncoder, load_weights=load_weights)
        self.size = size
        self.proj = nn.Linear(self.encoder.width, out_width)
        self.place = nn.Linear(4, out_width) if place else None

    def num_tokens(self) -> int:
        """One."""
        return 1

    def view(self, medium: Media, where: str = "") -> Prepared:
        """The picture as the second encoder sees it."""
        if medium.kind != "image":
            raise InputError(f"{where or medium.name}: regions.second_encoder looks at pictures, not at {medium.kind} media")
        return self.encoder.prepare(load_image(medium, where))

    def prepare(self, region: Region) -> Prepared:
        """The box of a region."""
        return Prepared(torch.tensor([box_of(region)], dtype=torch.float32))

    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        """The token of each region; a picture with several regions is seen once."""
        distinct = {id(view): view for view in views if view is not None}
        place = {key: number for number, key in enumerate(distinct)}
        image = [place[id(view)] for view in views]
        boxes = torch.cat([region.inputs for region in regions]).to(self.proj.weight.device)
        return list(self.tokens(self.read(list(distinct.values()), boxes, image), boxes)[:, None])

    def read(self, views: Sequence[Prepared], boxes: Tensor, image: Sequence[int]) -> Tensor:
        """The encoder's mean features `[R, D]` in boxes of the originals, box r on view `image[r]`."""
        trained = any(parameter.requires_grad for parameter in self.encoder.parameters())
        with torch.set_grad_enabled(trained and torch.is_grad_enabled()):
            features = joined([self.encoder(view.inputs.to(boxes.device)) for view in views])
        if features.grid is None:
            raise InputError("regions.second_encoder needs an encoder that gives patches in a grid")
        placed = on_input(boxes.view(-1, 2, 2), [views[number].geometry for number in image]).flatten(1)
        cells = boxes.new_tensor([features.grid[1], features.grid[0]]).repeat(2)
        maps = features.x.transpose(1, 2).unflatten(2, features.grid)
        # View numbers stay a list until here: on the meta device, where `plan` counts, a tensor has no values to index with.
        mean: Tensor = roi_align(maps, placed * cells, torch.tensor(image, device=boxes.device), self.size).mean(dim=(2, 3))
        return mean

    def tokens(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Features `[R, D]` of the second encoder and boxes `[R, 4]` on the originals -> `[R, H]`."""
        token: Tensor = self.proj(features)
        return token if self.place is None else token + self.place(boxes)
