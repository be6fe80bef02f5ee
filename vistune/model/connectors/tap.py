"""Another hidden layer than the encoder's chosen one, for one branch of a connector."""

from __future__ import annotations

from math import isqrt

from torch import Tensor

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.spec import Spec, build


class Tap(Connector):
    """`inner` reads the hidden layer `layer`, without the first `drop` tokens (a class token, registers).

    BLIVA projects the patches of the last layer but one beside a Q-Former that reads the last (arXiv 2308.09936, section 3.2).
    The encoder must keep the layer: `vision: {cls: keep, keep: [-2]}`. Behind a class token, patches are laid out as a square.
    """

    def __init__(self, width: int, out_width: int, layer: int = -2, drop: int = 1, inner: Spec = "linear") -> None:
        super().__init__()
        if drop < 0:
            raise InputError(f"connectors.tap.drop is {drop}, expected at least 0")
        self.layer, self.drop = layer, drop
        self.inner: Connector = build("vistune.model.connectors", inner, Connector, width=width, out_width=out_width)
        self.reads_text = self.inner.reads_text

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as `inner` gives for what is left."""
        return self.inner.num_tokens(n - self.drop, self._grid(n, grid))

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`layers[layer] [N, L, D]` -> what `inner` gives."""
        if features.layers is None or self.layer not in features.layers:
            raise InputError(f"connectors.tap reads the hidden layer {self.layer}, which the encoder does not keep")
        x = features.layers[self.layer]
        tokens: Tensor = self.inner(Features(x[:, self.drop :], self._grid(x.shape[1], features.grid)), text)
        return tokens

    def _grid(self, n: int, grid: Grid | None) -> Grid | None:
        if not self.drop:
            return grid
        side = isqrt(n - self.drop)
        return (side, side) if side * side == n - self.drop else None
