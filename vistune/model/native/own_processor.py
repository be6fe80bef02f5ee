"""`OwnProcessor`: text and pictures as a native model reads them, where `transformers` has no processor without torchvision.

text       <|user|>[IMG]What is it?
written    <|user|>[IMG][IMG][IMG_BREAK][IMG][IMG][IMG_END]What is it?       a picture's place becomes its tokens
tensors    input_ids, attention_mask, and what the pictures give
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor


class OwnProcessor(ABC):
    """Called as the processors of `transformers` are, with one text and its pictures.

    tokenizer:     writes token ids
    chat_template: the model's own, None where its directory has none
    image_token:   stands in the text where a picture is shown
    typed:         the model is told which tokens are pictures (`mm_token_type_ids`)
    """

    typed = False

    def __init__(self, tokenizer: Any, chat_template: str | None, image_token: str) -> None:
        self.tokenizer, self.chat_template, self.image_token = tokenizer, chat_template, image_token

    @abstractmethod
    def prepared(self, images: Sequence[Image.Image], **arguments: Any) -> dict[str, Tensor]:
        """The tensors of pictures; `arguments` replace settings of their preparation. Raises `ValueError` for one too odd."""

    @abstractmethod
    def place(self, made: Mapping[str, Tensor], number: int) -> str:
        """The tokens, as text, in the place of the picture of that number of `prepared`'s."""

    @property
    @abstractmethod
    def picture_tokens(self) -> Sequence[str]:
        """All tokens that `place` writes."""

    def begun(self, text: str) -> str:
        """The text with what the model's processor itself puts before it."""
        return text

    def __call__(
        self,
        text: Sequence[str],
        images: Sequence[Sequence[Image.Image]] | None = None,
        images_kwargs: Mapping[str, Any] | None = None,
        add_special_tokens: bool = True,
        return_tensors: str = "pt",
    ) -> dict[str, Tensor]:
        """A batch of one. Raises `ValueError` where the text shows another number of pictures than there are."""
        (words,), shown = text, list(images[0]) if images else []
        pieces = self.begun(words).split(self.image_token)
        if len(pieces) - 1 != len(shown):
            raise ValueError(f"the prompt shows {len(pieces) - 1} pictures, but {len(shown)} are given")
        made = self.prepared(shown, **(images_kwargs or {})) if shown else {}
        whole = pieces[0] + "".join(self.place(made, number) + piece for number, piece in enumerate(pieces[1:]))
        begins = bool(self.tokenizer.bos_token) and whole.startswith(self.tokenizer.bos_token)
        tokens = self.tokenizer(whole, add_special_tokens=add_special_tokens and not begins)["input_ids"]
        ids = torch.tensor([tokens])
        read = {"input_ids": ids, "attention_mask": torch.ones_like(ids)} | made
        if self.typed:
            numbers = torch.tensor(self.tokenizer.convert_tokens_to_ids(list(self.picture_tokens)))
            read["mm_token_type_ids"] = torch.isin(ids, numbers).long()
        return read
