"""How text is generated is decided here, not by a file that lies beside a backbone's weights."""

from __future__ import annotations

import sys
from typing import Any

from torch import nn
from transformers import GenerationConfig, GenerationMixin

from vistune.errors import speaks

_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
"""Which tokens begin and end a text is a fact about a model, and no choice of how it answers."""
_OPENING = "forced_bos_token_id"
"""The first token of an encoder-decoder that was taught to begin with it, after the one that starts its decoder."""
_SILENT = (
    *("transformers_version", "_from_model_config", "do_sample", "temperature", "top_p", "top_k", "use_cache", "max_length"),
    *("output_attentions", "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate"),
)
"""Settings that change no greedy answer, or are always given where one is asked for, and stand in most directories."""


def own_settings(model: nn.Module, path: str) -> None:
    """Put `transformers`' own defaults in the place of what `generation_config.json` of `path` says, and report what it said.

    Greedy is greedy whatever lies in a folder; who wants beams or penalties says so where the answer is asked for.
    """
    said: dict[str, Any] = {}
    for part in model.modules():  # BLIP-2's writer is one of its parts
        if not isinstance(part, GenerationMixin) or getattr(part, "generation_config", None) is None:
            continue
        theirs = part.generation_config.to_diff_dict()
        kept = (*_TOKENS, _OPENING) if part.config.is_encoder_decoder else _TOKENS
        part.generation_config = GenerationConfig(**{key: theirs[key] for key in kept if key in theirs})
        said |= {key: value for key, value in theirs.items() if key not in (*kept, *_SILENT)}
    if said and speaks():
        shown = ", ".join(f"{key}: {str(value)[:40]}" for key, value in sorted(said.items()))[:400]
        print(f"{path}: the generation settings that lie there are not used: {shown}", file=sys.stderr)
