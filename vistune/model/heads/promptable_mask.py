"""A mask for the token `[SEG]`: LISA's head on a frozen segmenter (arXiv 2308.00692, section 3.2), and GLaMM's for phrases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from vistune.data.media.image import image_size, load_image
from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads._mask_losses import bce_each, dice_each
from vistune.model.heads._segmenter import Segmenter
from vistune.model.heads.base import Head, Loss, Made, distinct_views
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Stretch, Trigger, Words
from vistune.sample import Media, Part, Region, Sample


class PromptableMask(Head):
    """The state that predicts `[SEG]`, through two layers, prompts the mask decoder of the segmenter at `path` (SAM's, by
    directory or hub id).

    `hidden` is the width between the layers, the language model's where None. With `phrases` a mask stands behind the words
    it belongs to, `<p> a red cup </p> [SEG]` (GLaMM, arXiv 2311.03356, section 3.1): a region's label. The segmenter's encoder
    never learns and sees each picture once, however many masks it gets; the mask decoder learns where a stage names
    `heads.NAME.segmenter.decoder`.
    """

    makes = ("produce_mask",)
    state = "predicting"
    losses: Mapping[str, float] = {"mask_bce": 2.0, "mask_dice": 0.5}

    def __init__(
        self,
        width: int,
        path: str,
        hidden: int | None = None,
        phrases: bool = False,
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.phrases = phrases
        self.tokens = ("[SEG]", "<p>", "</p>") if phrases else ("[SEG]",)
        self.segmenter = Segmenter.read(path, revision, load_weights)
        self.project = nn.Sequential(
            nn.Linear(width, hidden or width), nn.ReLU(), nn.Linear(hidden or width, self.segmenter.width)
        )

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The trigger, behind its phrase where phrases are written."""
        assert isinstance(part, Region)
        if self.phrases and part.label:
            return [Words(f"<p> {part.label} </p> "), Trigger("[SEG]")]
        return [Trigger("[SEG]")]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1, H, W]`: the mask at the picture's own size."""
        assert isinstance(part, Region) and part.mask is not None
        width, height = image_size(sample.media[part.media], sample.where)
        if part.mask.shape != (height, width):
            raise InputError(
                f"{sample.where}: a mask has {part.mask.shape[0]} x {part.mask.shape[1]} pixels, its picture {height} x {width}"
            )
        return Prepared(torch.from_numpy(part.mask)[None])

    def view(self, medium: Media, where: str = "") -> Prepared:
        """The picture as the segmenter sees it."""
        return self.segmenter.prepare(load_image(medium, where))

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """Cross-entropy and DICE of each mask, at the picture's own size."""
        made = zip(self.logits(hidden, things), things, strict=True)
        pairs = [(logits[None], thing.ready.inputs.to(logits)) for logits, thing in made]
        # One by one: masks have the sizes of their pictures and do not stack.
        bce = torch.cat([bce_each(logits, target) for logits, target in pairs]).sum()
        dice = torch.cat([dice_each(logits, target) for logits, target in pairs]).sum()
        return {"mask_bce": Loss(bce, "produce_mask"), "mask_dice": Loss(dice, "produce_mask")}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """The pixels whose logit is above zero."""
        with torch.no_grad():
            return [
                Region(0 if thing.on is None else thing.on[1], mask=(logits > 0).cpu().numpy())
                for logits, thing in zip(self.logits(hidden, things), things, strict=True)
            ]

    def logits(self, hidden: Sequence[Tensor], things: Sequence[Thing]) -> list[Tensor]:
        """Of each thing the logits `[H, W]` of its mask; all masks of a picture come from one pass of the decoder."""
        views, number = distinct_views(things)
        prompts = self.project(torch.cat([states[-1:] for states in hidden]))
        found: dict[int, Tensor] = {}
        for index, view in enumerate(views):
            # Picture by picture, since SAM's encoder is by far the dearest part and its embedding serves all masks on it.
            places = (number == index).nonzero()[:, 0].tolist()
            embedding = self.segmenter.embed(view.inputs.to(prompts))[0]
            assert view.extra is not None
            masks = self.segmenter.enlarge(self.segmenter.masks(embedding, prompts[places]), view.extra["sizes"])
            found |= dict(zip(places, masks, strict=True))
        return [found[place] for place in range(len(things))]
