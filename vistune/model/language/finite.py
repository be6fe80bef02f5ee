"""A model that computes NaN has no answer: generation stops, where the largest of some NaNs would be taken for a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import GenerationMixin

from vistune.errors import InputError, reading

NOT_FINITE = "the model's logits are NaN or infinite: its weights are broken, or too large for the precision it runs in"


@contextmanager
def watched(model: nn.Module) -> Iterator[None]:
    """Within the block a call of `model`, of `transformers`, raises `InputError` once a next token's logit is NaN or infinite.

    They are looked at as they leave the model: what generation does to them then may put infinities where it wants no token.
    Whatever else generating raises becomes a sentence, too: configurations decide it in ways that show only here.
    """
    writers = [part for part in model.modules() if isinstance(part, GenerationMixin)]  # BLIP-2's is one of its parts
    handles = [writer.register_forward_hook(_check) for writer in writers]
    try:
        with reading("the model cannot answer"):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _check(module: nn.Module, given: Any, output: Any) -> None:
    # Only the last token's logits: prompts are padded, and padding may hold anything.
    if not bool(torch.isfinite(output["logits"][:, -1]).all()):
        raise InputError(NOT_FINITE)
