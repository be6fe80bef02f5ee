"""Pixtral's processor (arXiv 2410.07073, section 2.2), which Mistral 3 shares: rows of patches, each row ended by a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image
from torch import Tensor

from vistune.model.native.own_processor import OwnProcessor


class Pixtral(OwnProcessor):
    """Pictures keep their proportions; `patch` is the side of what becomes one token, `images` the Pillow preparation.

    In a prompt a picture is its rows of `[IMG]`, each followed by `[IMG_BREAK]`, the last by `[IMG_END]`.
    """

    def __init__(self, images: Any, tokenizer: Any, record: Mapping[str, Any], chat_template: str | None) -> None:
        super().__init__(tokenizer, chat_template, str(record.get("image_token", "[IMG]")))
        self.image_processor = images
        # Mistral 3 merges squares of patches into one token.
        self.patch = int(record.get("patch_size", 16)) * int(record.get("spatial_merge_size", 1))
        self._break = str(record.get("image_break_token", "[IMG_BREAK]"))
        self._end = str(record.get("image_end_token", "[IMG_END]"))

    @property
    def picture_tokens(self) -> Sequence[str]:
        """A patch, a row's end, a picture's end."""
        return self.image_token, self._break, self._end

    def prepared(self, images: Sequence[Image.Image], **arguments: Any) -> dict[str, Tensor]:
        """`pixel_values [N, 3, H, W]`, filled behind to the largest, and `image_sizes [N, 2]`, each one's height and width."""
        size = {"height": self.patch, "width": self.patch}
        made = self.image_processor(list(images), return_tensors="pt", **({"patch_size": size} | arguments))
        return dict(made)

    def place(self, made: Mapping[str, Tensor], number: int) -> str:
        """The picture's rows."""
        height, width = (int(side) // self.patch for side in made["image_sizes"][number])
        row = self.image_token * width
        return f"{row}{self._break}" * (height - 1) + row + self._end
