"""What a method changes in a frozen dual encoder, declared by hook site and inspected before anything runs.

Sites of a tower with blocks 0 .. n-1:

    pixels [PIXELS] -> embed -> [EMBED] -> norm -> [0] block 0 -> [1] block 1 -> ... -> pool -> features -> logits
                        tokens             tokens, attention, side, norms

`PIXELS` and `EMBED` (before the input norm) are the image tower's; the text tower's input is changed by a `Context`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from torch import Tensor

from vistune.promptlearn.towers.encoded import Encoded

TowerName: TypeAlias = Literal["text", "vision"]
Per: TypeAlias = Literal["all", "class", "row"]
Site: TypeAlias = tuple[TowerName, int]
# (states [B, L, width], {group: (start, length)}) -> what is added to them
Inject: TypeAlias = Callable[[Tensor, Mapping[str, tuple[int, int]]], Tensor]

EMBED = -1
PIXELS = -2


@dataclass(frozen=True, slots=True)
class Context:
    """Learnt vectors in the text tower's input: `[SOS][context][template with the name][EOT]`.

    `values` is `[M, d]` (one for all classes), `[N, M, d]` (`per="class"`) or `[G, M, d]` (`per="row"`: one a prompt or
    one an image; the text tower then gives `[G, N, E]`). With `overwrite` the vectors take the place of the first M tokens
    of the template instead of standing before it: `[v1][v2] of a NAME.` `texts` stand in for the template, one a class.
    `position` says where the class name stands among them
    (CoOp, section 3.1): `middle` cuts the context in half, the first half being the shorter one. With `truncate` a text
    that is too long is cut behind its last token that fits, where others are refused.
    """

    values: Tensor
    per: Per = "all"
    position: Literal["end", "middle", "front"] = "end"
    template: str = "{}."
    overwrite: bool = False
    texts: tuple[str, ...] | None = None
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens put into the group `group` before a block; a group that does not exist yet is created at `where`.

    `values` is `[K, d]`, `[N, K, d]` (`per="class"`, text) or `[B, K, d]` (`per="row"`: one an image or prompt).
    """

    values: Tensor
    group: str = "prompt"
    where: Literal["after_first", "append"] = "append"
    per: Per = "all"


@dataclass(frozen=True, slots=True)
class LowRank:
    """A low-rank update of one projection: `x @ down.T @ up.T * scale`, `down [r, d]`, `up [d, r]`."""

    down: Tensor
    up: Tensor
    scale: float
    dropout: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """Changes of one block's attention.

    `closed` holds pairs of groups (query, key) that may not attend; `"*"` stands for every query. `bias` is added to the
    attention logits: a function of the layout `{group: (start, length)}` and the length, giving `[L, L]` or `[N, L, L]`.
    `low_rank` maps `q`, `k`, `v`, `o` to updates of those projections.
    """

    closed: tuple[tuple[str, str], ...] = ()
    bias: Callable[[Mapping[str, tuple[int, int]], int], Tensor] | None = None
    low_rank: Mapping[str, LowRank] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Norms:
    """Weight and bias that stand in for a block's two layer norms."""

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]


@dataclass(slots=True)
class Edits:
    """Everything one method changes in one call. Empty edits are the frozen model.

    `side` adds to a block's output a function of its first norm's; `inject` adds to a block's input a function of that input.
    """

    contexts: tuple[Context, ...] = ()
    template: str | None = None
    tokens: dict[Site, list[Tokens]] = field(default_factory=dict)
    attention: dict[Site, Attention] = field(default_factory=dict)
    side: dict[Site, Callable[[Tensor], Tensor]] = field(default_factory=dict)
    inject: dict[Site, Inject] = field(default_factory=dict)
    norms: dict[Site, Norms] = field(default_factory=dict)
    read: dict[TowerName, tuple[str, ...]] = field(default_factory=dict)
    read_class_attention: bool = False
    features: dict[TowerName, Callable[[Encoded], Tensor]] = field(default_factory=dict)
    class_weights: Tensor | None = None
    logits: Callable[[Encoded, Encoded], Tensor] | None = None
    pixels: Callable[[Tensor], Tensor] | None = None

    def put(self, tower: TowerName, layer: int, tokens: Tokens) -> None:
        """Add tokens at a site, after those already there."""
        self.tokens.setdefault((tower, layer), []).append(tokens)

    def first_touched(self, tower: TowerName) -> int | None:
        """The lowest site of a tower that differs from the frozen model or none.

        Everything below it is the frozen model's and may be computed once; with none, the features themselves may be.
        """
        # Changed pixels change everything behind them: nothing of the image tower may be cached.
        if tower == "vision" and self.pixels is not None:
            return PIXELS
        if tower == "text" and self.contexts:
            return EMBED
        layers = [
            layer
            for site in (self.tokens, self.attention, self.side, self.inject, self.norms)
            for name, layer in site
            if name == tower
        ]
        return min(layers, default=None)

    @property
    def text_follows_images(self) -> bool:
        """Are the class features different for every image (so that they cannot be computed once for a test set)?"""
        per_row = any(context.per == "row" for context in self.contexts)
        return per_row or any(one.per == "row" for (name, _), many in self.tokens.items() if name == "text" for one in many)
