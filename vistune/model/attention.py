"""The attention function every language model here runs with, chosen on its config under the name `vistune`.

Training rows are packed: samples stand one behind the other, and each may see only itself,

    queries a a a b b c c c         a █
            keys    a a a b b c c c   █ █
                                      █ █ █
                                    b       █
                                            █ █
                                    c           █ ...

Masking a long row densely would cost its square, so attention runs sample by sample (samples of equal length together). The
lengths arrive as the keyword argument `lengths`, which `transformers` hands down to the attention function; without it (while
generating from a padded batch) this is plain scaled-dot-product attention.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "vistune"


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    lengths: tuple[int, ...] | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """`query [B, heads, T, d]`, `key` and `value [B, kv heads, T, d]` -> `[B, T, heads, d]`.

    With `lengths` B is 1 and the row holds samples of these lengths, each causal in itself.
    """
    if lengths is None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return output, None
    places_of: defaultdict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        places_of[length].append(place)
    samples = [list(part.split(lengths, dim=2)) for part in (query, key, value)]
    seen: list[Tensor] = [query] * len(lengths)
    grouped = query.shape[1] != key.shape[1]
    for places in places_of.values():
        rows = [torch.cat([part[place] for place in places]) if len(places) > 1 else part[places[0]] for part in samples]
        output = F.scaled_dot_product_attention(
            rows[0], rows[1], rows[2], dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=grouped
        )
        for place, row in zip(places, output.split(1), strict=True):
            seen[place] = row
    return torch.cat(seen, dim=2).transpose(1, 2), None


def register() -> None:
    """Make the function known to `transformers` under `NAME`; doing it again changes nothing."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
