"""Attention of a packed row on a graphics processor: one kernel for the whole row, whatever the lengths of its samples.

flash_attn installed, 16-bit numbers   FlashAttention for samples one behind the other (arXiv 2307.08691)
else                                   FlexAttention (arXiv 2412.05496), compiled, with the blocks some token sees:

    queries a a | a b | b b            o partial: the mask decides token by token     x full: no mask needed
        a a   o
        a b   o     o                  The blocks follow from the samples' lengths; a mask of the row's square is never
        b b         o     o            made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

BLOCK = 128
"""Tokens along the side of a block."""


def has_kernel(query: Tensor, dropout: float) -> bool:
    """Whether `attend` is for these queries: on CUDA, without dropout, in heads of 16 to 256, the widths its kernels have."""
    return query.is_cuda and not dropout and 16 <= query.shape[-1] <= 256 and (_flash() or find_spec("triton") is not None)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    sliding_window: int | None,
    scaling: float | None,
    softcap: float | None,
) -> Tensor:
    """A row of samples of these `lengths`, each causal in itself: `query [1, heads, T, d]` -> `[1, heads, T, d]`.

    `key` and `value [1, kv heads, T, d]`; `sliding_window`, `scaling` and `softcap` as in `vistune.model.language.attention`.
    """
    # Autocast does not reach into kernels that it does not know: without this they would be handed fp32 and refuse.
    if torch.is_autocast_enabled("cuda"):
        number = torch.get_autocast_dtype("cuda")
        query, key, value = query.to(number), key.to(number), value.to(number)
    if _flash() and query.dtype in (torch.bfloat16, torch.float16):
        return varlen(query, key, value, lengths, sliding_window, scaling, softcap)
    return flex(query, key, value, lengths, sliding_window, scaling, softcap, _compiled())


def varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    sliding_window: int | None,
    scaling: float | None,
    softcap: float | None,
) -> Tensor:
    """`attend` by FlashAttention. Needs `flash_attn` and 16-bit numbers on CUDA."""
    from flash_attn import flash_attn_varlen_func

    ends = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=query.device)
    seen: Tensor = flash_attn_varlen_func(
        *(part[0].transpose(0, 1) for part in (query, key, value)),
        cu_seqlens_q=ends,
        cu_seqlens_k=ends,
        max_seqlen_q=max(lengths),
        max_seqlen_k=max(lengths),
        softmax_scale=scaling,
        causal=True,
        # FlashAttention counts the keys to the left of the query, ours counts the query itself, hence minus one.
        window_size=(-1, -1) if sliding_window is None else (sliding_window - 1, 0),
        softcap=softcap or 0.0,
        # Its backward pass adds with atomics by default, and a resumed run would then differ in the last bits.
        deterministic=torch.are_deterministic_algorithms_enabled(),
    )
    return seen.transpose(0, 1)[None]


def flex(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    sliding_window: int | None,
    scaling: float | None,
    softcap: float | None,
    function: Callable[..., Any] = flex_attention,
) -> Tensor:
    """`attend` by FlexAttention: `function` is torch's, compiled or (slow, but on any device, and forward only there) not."""
    seen: Tensor = function(
        query,
        key,
        value,
        score_mod=None if softcap is None else _cap(softcap),
        block_mask=block_mask(lengths, sliding_window, query.device),
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return seen


@lru_cache(maxsize=4)  # one row's full and sliding layers, and the next row's
def block_mask(lengths: tuple[int, ...], sliding_window: int | None, device: torch.device) -> BlockMask:
    """The mask of a row of samples of these `lengths`: by blocks and, in partial blocks, token by token."""
    total = sum(lengths)
    window = total if sliding_window is None else sliding_window
    sample = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    # From here on arithmetic is over blocks, N x N with N = total / 128: a mask over tokens would be quadratic in the row and
    # cost more than the attention.
    first = torch.arange(0, total, BLOCK)
    last = (first + BLOCK).clamp(max=total) - 1
    query, key = (slice(None), None), (None, slice(None))
    # The first and last tokens of a block tell all: samples are contiguous, so the numbers of samples only grow along the
    # row.
    before = first[query] > first[key]
    touches = (sample[first][query] == sample[last][key]) & (first[query] - last[key] < window)
    seen = (before & touches) | (first[query] == first[key])
    alike = (sample[last][query] == sample[first][key]) & (last[query] - first[key] < window)
    # Full blocks skip the test of single tokens. The last block of a row is shorter than BLOCK and is never full.
    full = before & alike & (first + BLOCK <= total)[query]
    samples = sample.to(device)

    def sees(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (samples[query] == samples[key]) & (query >= key) & (query - key < window)

    return BlockMask.from_kv_blocks(
        *_listed(seen & ~full, device), *_listed(full, device), BLOCK_SIZE=BLOCK, mask_mod=sees, seq_lengths=(total, total)
    )


def _listed(blocks: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """`[N, N]` bool -> of each row the number of True places `[1, 1, N]`, and all places, True before False `[1, 1, N, N]`."""
    number = blocks.sum(dim=1, dtype=torch.int32)
    which = blocks.int().argsort(dim=1, descending=True, stable=True).int()
    # FlexAttention wants batch and head axes; one mask serves all heads.
    return number[None, None].to(device), which[None, None].to(device)


@cache
def _cap(cap: float) -> Callable[..., Tensor]:
    """The score of a pair, bent (Gemma 2); the same function for the same `cap`, so that it is compiled once."""

    def capped(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return cap * torch.tanh(score / cap)

    return capped


@cache
def _compiled() -> Callable[..., Any]:
    return torch.compile(flex_attention, dynamic=True)


@cache
def _flash() -> bool:
    return find_spec("flash_attn") is not None
