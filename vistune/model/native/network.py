"""`Network`: the weights of a native model, and where its text part lies."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText

from vistune.errors import InputError
from vistune.model.native.families import Family
from vistune.model.part import Stack
from vistune.model.weights.pretrained import read_model


class Network(Stack):
    """A model of `transformers` that reads pictures and text and writes text; adapters go into its text part's `blocks`."""

    auto: Any = AutoModelForImageTextToText

    def __init__(
        self, path: str, folder: str, revision: str | None, config: Any, family: Family, dtype: torch.dtype, load_weights: bool
    ) -> None:
        super().__init__()
        if self.auto is AutoModelForImageTextToText and type(config) not in self.auto._model_mapping:
            raise InputError(f"{path} is a {config.model_type}, which is no model that answers pictures and text with text")
        self.model: Any = read_model(self.auto, path, folder, config, revision, load_weights, dtype=dtype)
        self._text = family.text

    def logits(self, inputs: dict[str, Tensor], labels: Tensor) -> Tensor:
        """Logits `[N, L, V]` after each token that is read; of an encoder-decoder those of the tokens of `labels`."""
        if self.encoder_decoder:
            found: Tensor = self.model(**inputs, labels=labels).logits
        else:
            found = self.model(**inputs, use_cache=False).logits
        return found

    def written(self, inputs: dict[str, Tensor], **options: Any) -> Tensor:
        """The tokens `[N, L]` that `generate` adds to what is read."""
        ids: Tensor = self.model.generate(**inputs, **options)
        return ids if self.encoder_decoder else ids[:, inputs["input_ids"].shape[1] :]

    @property
    def encoder_decoder(self) -> bool:
        """Whether an answer is written by a decoder of its own."""
        config = self.model.config
        return bool(config.is_encoder_decoder or config.get_text_config().is_encoder_decoder)

    @property
    def blocks(self) -> nn.ModuleList:
        """The layers of the text part: of an encoder-decoder those of both halves."""
        text = self.model.get_decoder() if self._text is None else self.model.get_submodule(self._text)
        if isinstance(text, nn.ModuleList):
            return text
        lists = {name: module for name, module in text.named_modules() if isinstance(module, nn.ModuleList)}
        outer = [module for name, module in lists.items() if not any(name.startswith(other + ".") for other in lists)]
        return nn.ModuleList([block for module in outer for block in module])

    def ends(self, tokenizer: Any) -> tuple[int, ...]:
        """Tokens that end an answer, the tokenizer's own first."""
        known = self.model.generation_config.eos_token_id
        listed = known if isinstance(known, list) else [] if known is None else [known]
        return tuple(dict.fromkeys([tokenizer.eos_token_id, *listed]))
