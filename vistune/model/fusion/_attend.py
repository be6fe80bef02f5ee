"""What fusions whose tokens look at a context have in common."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.errors import InputError
from vistune.prompt.render import Slot


def attend(query: Tensor, key: Tensor, value: Tensor, visible: Tensor, scale: float | None = None) -> Tensor:
    """Attention to the K tokens of each of M things a token sees, zero where it sees nothing.

    `query [B, heads, T, d]`, `key` and `value [M, kv heads, K, d]`, `visible [B, T, M]` bool -> `[B, heads, T, d]`.
    """
    # Visibility is told for each thing; all K tokens of a thing are seen or none.
    mask = visible.repeat_interleave(key.shape[2], dim=2)[:, None]
    key, value = (part.transpose(0, 1).flatten(1, 2)[None].expand(len(query), -1, -1, -1) for part in (key, value))
    grouped = query.shape[1] != key.shape[1]
    seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale, enable_gqa=grouped)
    # A row of the mask that is all False gives NaN or an average, depending on the kernel; both are replaced.
    return torch.where(visible.any(dim=2)[:, None, :, None], seen, 0.0)


def stack(chosen: list[Tensor], kind: str) -> Tensor:
    """The tokens of the media shown, `[M, K, H]`, in the order of the row."""
    if len({len(medium) for medium in chosen}) > 1:
        raise InputError(
            f"fusion.{kind} needs a connector that gives every medium the same number of tokens, as a resampler does"
        )
    return torch.stack(chosen)


def borders(where: list[Slot], lengths: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """For each of the row's T tokens the number of media shown before its sample begins, and before it ends: two `[T]`."""
    starts = torch.tensor([slot.start for slot in where], dtype=torch.long)
    ends = torch.tensor(lengths).cumsum(0)
    sizes = torch.tensor(lengths)
    # Media of a packed row are numbered through, in the order of their slots; a sample's own are those that begin between its
    # borders.
    before, until = torch.searchsorted(starts, ends - sizes), torch.searchsorted(starts, ends)
    return before.repeat_interleave(sizes).to(device), until.repeat_interleave(sizes).to(device)
