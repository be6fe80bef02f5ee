"""`Encoded`: what a tower gives, known to the edits that change it and to the engine that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a tower gives.

    `features [.., E]` (projected, not normalised, after the method's feature edit), `pooled` the same before that edit,
    `groups` the last block's states `[.., K, width]` of the token groups the edits asked to read, `class_attention
    [B, L]` how the class token of the last block looks at every position (mean over heads).
    """

    features: Tensor
    pooled: Tensor
    groups: Mapping[str, Tensor] = field(default_factory=dict)
    class_attention: Tensor | None = None
