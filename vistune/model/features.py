"""What encoders give and what preparing a picture leaves behind: `Features`, `Geometry`, `Prepared`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from vistune.sample import Box, Point

Grid: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Features:
    """An encoder's output for N inputs: tokens, their layout, a summary, chosen hidden layers.

    `x [N, L, D]`; `grid` is (rows, columns) with L = rows * columns, or None when tokens have no layout; `pooled [N, D]` or
    None; `layers` maps a hidden layer's number to its `[N, L, D]`.
    """

    x: Tensor
    grid: Grid | None = None
    pooled: Tensor | None = None
    layers: dict[int, Tensor] | None = None

    def rows(self, index: Tensor) -> Features:
        """Those of some of the inputs, by their numbers."""
        pooled = None if self.pooled is None else self.pooled[index]
        layers = None if self.layers is None else {number: layer[index] for number, layer in self.layers.items()}
        return Features(self.x[index], self.grid, pooled, layers)


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a point on the original picture maps to the encoder's input: `u = scale * x + offset`, both in [0, 1]."""

    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)

    def to_input(self, point: Point) -> Point:
        """A point of the original (xy in [0, 1]) on the input; outside [0, 1] where it was cropped away."""
        return self.scale[0] * point[0] + self.offset[0], self.scale[1] * point[1] + self.offset[1]

    def to_original(self, point: Point) -> Point:
        """The inverse of `to_input`."""
        return (point[0] - self.offset[0]) / self.scale[0], (point[1] - self.offset[1]) / self.scale[1]

    def box_to_input(self, box: Box) -> Box:
        """A box of the original (xyxy in [0, 1]) on the input, cut off where it leaves it."""
        (x1, y1), (x2, y2) = self.to_input((box[0], box[1])), self.to_input((box[2], box[3]))
        return _clip(x1), _clip(y1), _clip(x2), _clip(y2)


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


@dataclass(frozen=True, slots=True)
class Tiling:
    """A picture of `size` (width, height) cut into `rows` x `columns` tiles, which stand behind a view of the whole."""

    rows: int
    columns: int
    size: tuple[int, int]

    @property
    def inputs(self) -> int:
        """The whole and its tiles."""
        return 1 + self.rows * self.columns

    def content(self, grid: Grid) -> tuple[slice, slice]:
        """Rows and columns of the stitched patches (each tile's laid out as `grid`) that show the picture, not its padding.

        An odd difference keeps one padded row or column, as LLaVA-1.6 does.
        """
        height, width = self.rows * grid[0], self.columns * grid[1]
        wide, high = self.size
        if wide / high > width / height:
            padding = (height - int(round(high * (width / wide), 7))) // 2
            return slice(padding, height - padding), slice(0, width)
        padding = (width - int(round(wide * (height / high), 7))) // 2
        return slice(0, height), slice(padding, width - padding)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One medium ready for its encoder: `pixels [T, ...]`, T inputs: one, or the whole and the tiles of a large picture.

    `geometry` is that of the first input. With a feature cache, `key` names the medium's content, and `kept` is what the
    encoder once made of it; `pixels` are then empty, `[T, 0]`.
    """

    pixels: Tensor
    geometry: Geometry
    tiling: Tiling | None = None
    key: str = ""
    kept: dict[str, Tensor] | None = None
