"""The attention function every language model here runs with, chosen on its config under the name `vistune`.

Training rows are packed: samples stand one behind the other, and each may see only itself,

    queries a a a b b c c c         a █
            keys    a a a b b c c c   █ █
                                      █ █ █
                                    b       █
                                            █ █
                                    c           █ ...

Masking a long row densely would cost its square, so attention runs sample by sample (samples of equal length together), or on
a graphics processor in one kernel that skips what is not seen (`vistune.model.language.attention_gpu`). The
lengths arrive as the keyword argument `lengths`, which `transformers` hands down to the attention function; without it (while
generating from a padded batch) this is plain scaled-dot-product attention. With `after`, pieces of the row go on from others
(`model.answering.prefixes`), which they see. Sliding windows (Mistral, Gemma) and capped scores (Gemma 2) are honoured in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from vistune.model.language import attention_gpu
from vistune.model.language.branches import positions, visible
from vistune.model.language.hooks import AttentionCall
from vistune.prompt.writer import Branch

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
    after: tuple[int | None, ...] | None = None,
    branches: tuple[tuple[Branch, ...], ...] = (),
    sliding_window: int | None = None,
    softcap: float | None = None,
    call: AttentionCall | None = None,
    note: list[tuple[Tensor, Tensor]] | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """`query [B, heads, T, d]`, `key` and `value [B, kv heads, T, d]` -> `[B, T, heads, d]`.

    With `lengths` B is 1 and the row holds samples of these lengths, each causal in itself; sample i goes on from sample
    `after[i]`, if any, and ends with `branches[i]`, which go on from its middle. A token sees the last `sliding_window` ones,
    itself among them; `softcap` c bends scores s to `c tanh(s / c)`. `call` brings the layer's hooks `attn_add` and
    `kv_concat`; given `note`, keys and values are written there and nothing is attended to.
    """
    # A prefix is read once, only to learn its keys and values: what attention would give is never looked at.
    if note is not None:
        note.append((key, value))
        return torch.zeros_like(query).transpose(1, 2), None
    # A row that is not packed (generation, a tower of its own) is what the library's own function is for.
    if lengths is None and softcap is None and (call is None or not call.concat):
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        output = output.transpose(1, 2)
    else:
        scores = Scores(scaling, dropout, softcap)
        prefixes = [] if call is None else [concat(call.run) for concat in call.concat]
        if lengths is None:
            key, value, mask = _behind(prefixes, key, value, attention_mask, query.shape[2])
            output = scores.attend(query, key, value, mask)
        else:
            unlinked = (None,) * len(lengths)
            # `after` is set where beginnings that samples share are read once: questions about one picture, pairs of answers.
            output = _packed(query, key, value, lengths, after or unlinked, branches, sliding_window, scores, prefixes)
    if call is not None:
        # Gated attention is scaled as the layer's own is, which some families set apart from the head's width.
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        # Added behind the softmax, as zero-initialised attention does: the layer's own weights keep summing to one.
        for add in call.add:
            output = output + add(query, scale, call)
    return output.transpose(1, 2), None


@dataclass(frozen=True, slots=True)
class Scores:
    """How a family makes weights of queries and keys."""

    scaling: float | None
    dropout: float
    softcap: float | None

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, heads, T, d]`; causal where no `mask` (True: may see) says otherwise.

        On a processor, bf16 goes through fp32: torch's bf16 kernel is no faster for long samples and half as fast for short.
        """
        if query.device.type == "cpu" and query.dtype is torch.bfloat16:
            # Autocast would turn the fp32 copies back into bf16 inside the kernel.
            with torch.autocast("cpu", enabled=False):
                return self.attend(query.float(), key.float(), value.float(), mask).bfloat16()
        if self.softcap is None:
            return F.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=mask,
                dropout_p=self.dropout,
                is_causal=mask is None,
                scale=self.scaling,
                enable_gqa=query.shape[1] != key.shape[1],
            )
        scale = query.shape[-1] ** -0.5 if self.scaling is None else self.scaling
        length = query.shape[2]
        # The capped path has no fused kernel, so causality must be an explicit mask here.
        mask = _causal(length, length, query.device) if mask is None else mask
        return _capped(query, key, value, mask, scale, self.dropout, self.softcap)


def _packed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    after: tuple[int | None, ...],
    branches: tuple[tuple[Branch, ...], ...],
    sliding_window: int | None,
    scores: Scores,
    prefixes: list[tuple[Tensor, Tensor]],
) -> Tensor:
    """Attention in a packed row `[1, heads, T, d]`, in one kernel where there is one, else samples of equal length together."""
    # The kernels know packed causal samples and nothing else; prefixes, branches and shared beginnings take the general path.
    plain = not prefixes and not any(branches) and all(before is None for before in after)
    if plain and attention_gpu.has_kernel(query, scores.dropout):
        return attention_gpu.attend(query, key, value, lengths, sliding_window, scores.scaling, scores.softcap)
    # Samples of one length need one mask and no padding, so they are rows of one batch; lengths differ little in a step.
    places_of: defaultdict[tuple[int, int, tuple[Branch, ...]], list[int]] = defaultdict(list)
    for place, (length, before) in enumerate(zip(lengths, after, strict=True)):
        places_of[length, 0 if before is None else lengths[before], branches[place] if branches else ()].append(place)
    samples = [list(part.split(lengths, dim=2)) for part in (query, key, value)]
    # Filled by place below: groups of equal length are computed together and put back in the row's order.
    seen: list[Tensor] = [query] * len(lengths)
    for (length, more, branched), places in places_of.items():
        rows = [_rows(part, places) for part in samples]
        if more:
            # The keys of the prefix are those of another piece of the row; only the queries are this sample's own.
            starts = [start for place in places if (start := after[place]) is not None]
            rows[1:] = [torch.cat([_rows(part, starts), own], dim=2) for part, own in zip(samples[1:], rows[1:], strict=True)]
        whole = more + length
        # A window that is wider than the sample hides nothing, and the kernel without a mask is the faster one.
        window = sliding_window is not None and whole > sliding_window
        mask = _causal(whole, sliding_window or whole, query.device)[more:] if window or more else None
        # Branches replace the causal mask altogether: a branch must not see the other branches, nor the trunk behind its
        # start.
        if branched:
            mask = _branched(length, branched, sliding_window or whole, query.device)
        # A prefix is either one for all samples (prefix tuning) or one for each (zero-initialised attention on the sample's
        # picture).
        chosen = [tuple(part if len(part) == 1 else part[places] for part in prefix) for prefix in prefixes]
        keys, values, mask = _behind(chosen, rows[1], rows[2], mask, length)
        for place, row in zip(places, scores.attend(rows[0], keys, values, mask).split(1), strict=True):
            seen[place] = row
    return torch.cat(seen, dim=2)


def _rows(samples: list[Tensor], places: list[int]) -> Tensor:
    """Some of the samples as rows of a batch."""
    return torch.cat([samples[place] for place in places]) if len(places) > 1 else samples[places[0]]


def _behind(
    prefixes: Sequence[tuple[Tensor, ...]], key: Tensor, value: Tensor, mask: Tensor | None, length: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Keys and values `[B, kv heads, S, d]` behind the prefixes'; all `length` queries see the prefixes."""
    for prefix_key, prefix_value in prefixes:
        # Without a mask the kernel is causal from the first key on, which a prefix in front of it would shift.
        if mask is None:
            mask = _causal(key.shape[2], key.shape[2], key.device)[-length:]
        mask = F.pad(mask, (prefix_key.shape[2], 0), value=True)
        key = torch.cat([prefix_key.to(key).expand(len(key), -1, -1, -1), key], dim=2)
        value = torch.cat([prefix_value.to(value).expand(len(value), -1, -1, -1), value], dim=2)
    return key, value, mask


def _causal(length: int, window: int, device: torch.device) -> Tensor:
    """`[length, length]`: True where the query of a row may see the key of a column."""
    place = torch.arange(length, device=device)
    distance = place[:, None] - place
    return (distance >= 0) & (distance < window)


def _branched(length: int, branches: Sequence[Branch], window: int, device: torch.device) -> Tensor:
    """`_causal` for a sample that ends with branches, among its `length` tokens; a window reaches back by positions."""
    own = length - sum(count for _, count in branches)
    place = torch.tensor(positions(own, branches), device=device)
    return visible(own, branches).to(device) & (place[:, None] - place < window)


def _capped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout: float, cap: float) -> Tensor:
    """Attention whose scores are capped (Gemma 2, arXiv 2408.00118, section 2), which no fused kernel of torch does."""
    groups = query.shape[1] // key.shape[1]
    # Grouped queries written out: the fused kernels do this inside, a plain matrix product cannot.
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    # The cap comes before the mask: a hidden score that was capped would be seen with weight exp(-cap).
    scores = cap * torch.tanh(query @ key.transpose(-1, -2) * scale / cap)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    # Softmax in fp32, as the families do that cap scores: in bf16 the sum over thousands of keys loses digits.
    weights = F.dropout(scores.float().softmax(dim=-1), dropout).to(value.dtype)
    return weights @ value


def register() -> None:
    """Make the function known to `transformers` under `NAME`; doing it again changes nothing."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
