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
generating from a padded batch) this is plain scaled-dot-product attention. Sliding windows (Mistral, Gemma) and capped scores
(Gemma 2) are honoured in both.
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
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """`query [B, heads, T, d]`, `key` and `value [B, kv heads, T, d]` -> `[B, T, heads, d]`.

    With `lengths` B is 1 and the row holds samples of these lengths, each causal in itself. A token sees the last
    `sliding_window` ones, itself among them; `softcap` c bends scores s to `c tanh(s / c)`.
    """
    if lengths is None and softcap is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        capped = _capped(query, key, value, attention_mask, scale, dropout, softcap)
        return capped.transpose(1, 2), None
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
    for length, places in places_of.items():
        rows = [torch.cat([part[place] for place in places]) if len(places) > 1 else part[places[0]] for part in samples]
        window = sliding_window is not None and length > sliding_window
        if softcap is not None:
            mask = _causal(length, sliding_window or length, query.device)
            scale = query.shape[-1] ** -0.5 if scaling is None else scaling
            output = _capped(rows[0], rows[1], rows[2], mask, scale, dropout, softcap)
        else:
            output = F.scaled_dot_product_attention(
                rows[0],
                rows[1],
                rows[2],
                attn_mask=_causal(length, sliding_window or length, query.device) if window else None,
                dropout_p=dropout,
                is_causal=not window,
                scale=scaling,
                enable_gqa=grouped,
            )
        for place, row in zip(places, output.split(1), strict=True):
            seen[place] = row
    return torch.cat(seen, dim=2).transpose(1, 2), None


def _causal(length: int, window: int, device: torch.device) -> Tensor:
    """`[length, length]`: True where the query of a row may see the key of a column."""
    place = torch.arange(length, device=device)
    distance = place[:, None] - place
    return (distance >= 0) & (distance < window)


def _capped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout: float, cap: float) -> Tensor:
    """Attention whose scores are capped (Gemma 2, arXiv 2408.00118, section 2), which no fused kernel of torch does."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = cap * torch.tanh(query @ key.transpose(-1, -2) * scale / cap)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = F.dropout(scores.float().softmax(dim=-1), dropout).to(value.dtype)
    return weights @ value


def register() -> None:
    """Make the function known to `transformers` under `NAME`; doing it again changes nothing."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
