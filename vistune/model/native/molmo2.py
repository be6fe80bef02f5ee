"""Molmo 2's processor: a picture is its small view and its crops, each row of windows ended by a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image
from torch import Tensor

from vistune.model.native.molmo2_pictures import Cropping, prepared
from vistune.model.native.own_processor import OwnProcessor

_WINDOW, _ROW, _START, _SMALL, _END = "<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<im_end>"


class Molmo2(OwnProcessor):
    """`cropping` says how pictures are cut, `record` (the processor's file) which tokens stand between them."""

    typed = True

    def __init__(self, cropping: Cropping, tokenizer: Any, record: Mapping[str, Any], chat_template: str | None) -> None:
        super().__init__(tokenizer, chat_template, str(getattr(tokenizer, "image_token", None) or "<|image|>"))
        self.cropping = cropping
        self._rows = bool(record.get("image_use_col_tokens", True))
        small = record.get("use_single_crop_col_tokens")
        self._small_rows = self._rows if small is None else bool(small)
        self._small_start = _SMALL if record.get("use_single_crop_start_token", True) else _START

    @property
    def picture_tokens(self) -> Sequence[str]:
        """Windows, ends of rows, begin and end of views; those of frames and `<im_low>` are never written here."""
        return _WINDOW, _ROW, _START, _SMALL, _END

    def begun(self, text: str) -> str:
        """The model's begin token comes first; its chat template leaves it out. Without one its end token does so."""
        first = self.tokenizer.bos_token or self.tokenizer.eos_token
        return text if text.startswith(first) else first + text

    def prepared(self, images: Sequence[Image.Image], **arguments: Any) -> dict[str, Tensor]:
        """See `molmo2_pictures.prepared`; `arguments` are fields of `Cropping`. Raises `TypeError` for another."""
        return prepared(images, replace(self.cropping, **arguments))

    def place(self, made: Mapping[str, Tensor], number: int) -> str:
        """The small view, then the crops joined."""
        low, wide, high, broad = made["image_grids"][number].tolist()
        small, large = (_WINDOW * count + _ROW * rows for count, rows in ((wide, self._small_rows), (broad, self._rows)))
        return f"{self._small_start}{small * low}{_END}{_START}{large * high}{_END}"
