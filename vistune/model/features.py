"""What encoders give and what preparing a medium leaves behind: `Features`, `Geometry`, `Layout`, `Prepared`, `Thing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
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

    def split(self, sizes: Sequence[int]) -> list[Features]:
        """The features of successive groups of inputs, `sizes` inputs each."""
        x = self.x.split(list(sizes))
        pooled = [None] * len(x) if self.pooled is None else self.pooled.split(list(sizes))
        layers = {number: layer.split(list(sizes)) for number, layer in (self.layers or {}).items()}
        return [
            Features(part, self.grid, pooled[place], {number: parts[place] for number, parts in layers.items()} or None)
            for place, part in enumerate(x)
        ]

    @property
    def shape(self) -> tuple[object, ...]:
        """What must agree for features of several media to be joined."""
        # The number of inputs is left out: only the rest must agree to concatenate along it.
        return self.x.shape[1:], self.grid, self.pooled is None, tuple(self.layers or ())


def joined(features: Sequence[Features]) -> Features:
    """The inputs of several features of one `shape`, one behind the other."""
    if len(features) == 1:
        return features[0]
    first = features[0]
    pooled = None if first.pooled is None else torch.cat([each.pooled for each in features if each.pooled is not None])
    layers = {number: torch.cat([each.layers[number] for each in features if each.layers]) for number in first.layers or ()}
    return Features(torch.cat([each.x for each in features]), first.grid, pooled, layers or None)


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
        # The stitched tiles are a canvas that the picture was fitted into; the padding is on the axis where the picture is
        # relatively shorter. Rounding to seven digits first keeps floats such as 23.999999999 from losing a row, as the
        # released code does.
        if wide / high > width / height:
            padding = (height - int(round(high * (width / wide), 7))) // 2
            return slice(padding, height - padding), slice(0, width)
        padding = (width - int(round(wide * (height / high), 7))) // 2
        return slice(0, height), slice(padding, width - padding)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the tokens of one medium lie: `inputs` encoder inputs of `tokens` tokens each. A function of the file's header.

    An input is a picture, a tile, a frame of a film or a stretch of a sound. `grid` is (rows, columns) of one input's tokens,
    None where they have no such order; `tiling` says how a picture was cut, and `seconds` when each input is shown or heard.
    """

    tokens: int
    grid: Grid | None = None
    inputs: int = 1
    tiling: Tiling | None = None
    seconds: tuple[float, ...] | None = None

    @property
    def total(self) -> int:
        """Tokens of all inputs."""
        return self.inputs * self.tokens


@dataclass(frozen=True, slots=True)
class Extent:
    """What a sample asks of a model, from headers and words alone: `tokens` of its prompt and answers, how many of them are
    `taught`, encoder `inputs` of all its media, and how many tokens encoders give of them (`seen`), by kind."""

    tokens: int
    taught: int
    inputs: int
    seen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A medium or region made ready on the CPU: `inputs [T, ...]` for an encoder, or the target of a head.

    `geometry` maps points of the original to the first input. With a feature cache, `key` names the medium's content and `kept`
    is what the encoder once made of it; `inputs` are then empty, `[T, 0]`. `extra` are further tensors of a head's target.
    """

    inputs: Tensor
    geometry: Geometry = Geometry()
    layout: Layout = Layout(1)
    key: str = ""
    kept: dict[str, Tensor] | None = None
    extra: dict[str, Tensor] | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """A medium of a row and its features: what region encoders and heads look at."""

    prepared: Prepared
    features: Features


@dataclass(frozen=True, slots=True)
class Thing:
    """What belongs to a slot: a medium that is shown, a region that is pointed at, or an artefact that is to be made.

    `prepared` is None for an artefact that is not known yet. `question` holds the words of the question that shows a medium.
    `on` is the medium that a region lies on, by kind and number of `Batch.things`, and `view` that medium as a head with an
    encoder of its own wants to see it. Things that were prepared once share one object: identity is equality.
    """

    prepared: Prepared | None
    question: str = ""
    on: tuple[str, int] | None = None
    view: Prepared | None = None

    @property
    def ready(self) -> Prepared:
        """`prepared` of a thing that is known."""
        assert self.prepared is not None
        return self.prepared
