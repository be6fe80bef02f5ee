"""BLIP (arXiv 2201.12086) as it writes: captions behind a prompt, or answers to questions.

    BlipForConditionalGeneration   [BOS] a picture of | a red bus [SEP]        one decoder, which sees the picture
    BlipForQuestionAnswering       [CLS] what is it? [SEP]  ->  [BOS] | a bus [SEP]      an encoder of both, and a decoder

`transformers` lets both generate, but gives no logits of answers and cuts prompts in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import BlipForConditionalGeneration, BlipForQuestionAnswering

from vistune.errors import InputError
from vistune.model.native.network import Network
from vistune.prompt.render import IGNORE


class BlipProcessor:
    """A picture and words as BLIP reads them: captions begin with the decoder's begin token, questions with the tokenizer's."""

    chat_template = None

    def __init__(self, image_processor: Any, tokenizer: Any, config: Any) -> None:
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self._begin = None if "BlipForQuestionAnswering" in (config.architectures or ()) else config.text_config.bos_token_id

    def __call__(
        self,
        text: Sequence[str],
        images: Sequence[Image.Image],
        images_kwargs: dict[str, Any] | None = None,
        add_special_tokens: bool = True,
        return_tensors: str = "pt",
    ) -> dict[str, Tensor]:
        """A batch of one: `input_ids`, `attention_mask` `[1, L]` and `pixel_values [1, 3, H, W]`."""
        (words,) = text
        begun = self._begin is not None
        ids = self.tokenizer(words, add_special_tokens=add_special_tokens and not begun)["input_ids"]
        read = torch.tensor([[self._begin, *ids] if begun else ids])
        pixels = self.image_processor(list(images), return_tensors="pt", **(images_kwargs or {}))["pixel_values"]
        return {"input_ids": read, "attention_mask": torch.ones_like(read), "pixel_values": pixels}


class BlipCaptions(Network):
    """Writes a caption. Answers end with the separator."""

    auto = BlipForConditionalGeneration

    def ends(self, tokenizer: Any) -> tuple[int, ...]:
        """The separator."""
        return (int(self.model.config.text_config.sep_token_id),)

    def written(self, inputs: dict[str, Tensor], **options: Any) -> Tensor:
        """The tokens that are added to the prompt."""
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        # `generate` takes a prompt as the tokenizer ends it, and cuts its separator.
        ended = torch.cat([ids, ids.new_full((len(ids), 1), self.ends(None)[0])], dim=1)
        seen = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        made: Tensor = self.model.generate(
            pixel_values=inputs["pixel_values"], input_ids=ended, attention_mask=seen, **_further(options)
        )
        return made[:, ids.shape[1] :]


class BlipAnswers(Network):
    """Answers a question: an encoder-decoder whose encoder reads the question beside the picture."""

    auto = BlipForQuestionAnswering

    @property
    def encoder_decoder(self) -> bool:
        """Answers are written by a decoder of their own."""
        return True

    def ends(self, tokenizer: Any) -> tuple[int, ...]:
        """The separator."""
        return (int(self.model.config.text_config.sep_token_id),)

    def logits(self, inputs: dict[str, Tensor], labels: Tensor) -> Tensor:
        """Logits of the tokens of `labels`, each from those before it."""
        text = self.model.config.text_config
        seen = self.model.vision_model(inputs["pixel_values"]).last_hidden_state
        asked = self.model.text_encoder(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], encoder_hidden_states=seen
        ).last_hidden_state
        before = torch.cat([labels.new_full((len(labels), 1), text.bos_token_id), labels[:, :-1]], dim=1)
        found: Tensor = self.model.text_decoder(
            input_ids=before.masked_fill(before == IGNORE, text.pad_token_id),
            encoder_hidden_states=asked,
            encoder_attention_mask=inputs["attention_mask"],
        ).logits
        return found

    def written(self, inputs: dict[str, Tensor], **options: Any) -> Tensor:
        """The answer's tokens, behind the begin token."""
        made: Tensor = self.model.generate(**inputs, **_further(options))
        return made[:, 1:]


def _further(options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of generation without those that BLIP's own `generate` sets."""
    return {name: value for name, value in options.items() if name not in ("pad_token_id", "eos_token_id")}


def blip_network(config: Any, path: str) -> type[Network]:
    """The network of a BLIP's architecture. Raises `InputError` for one that writes nothing."""
    (architecture,) = (config.architectures or ["BlipForConditionalGeneration"])[:1]
    kinds = {kind.auto.__name__: kind for kind in (BlipCaptions, BlipAnswers)}
    if architecture not in kinds:
        raise InputError(
            f"{path} is a {architecture}, which compares pictures with texts and writes none: see `vistune measure retrieval`"
        )
    return kinds[architecture]
