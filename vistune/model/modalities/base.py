"""The contract of modalities, and a small medium of each kind to try one with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from torch import Tensor

from vistune.model.features import Prepared, Sight, Thing
from vistune.prompt.writer import Stretch
from vistune.sample import Media, MediaKind, Part, Sample

Seen: TypeAlias = Mapping[str, Sequence[Sight]]
"""What was seen of the media of a row, by kind, in the order of `Batch.things`."""


class Modality(Protocol):
    """How things of one kind get from a sample to tokens. It is their `Writer`.

    A modality is a plain object over parts of the model, which keep the names that stages train them by.
    """

    @property
    def reads(self) -> str:
        """The kind of thing."""
        ...

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """How the part stands in the prompt, from a header or coordinates alone."""
        ...

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """Decoded and scaled, on the CPU; touches no weights."""
        ...

    def tokens(self, things: Sequence[Thing], seen: Seen) -> tuple[list[Tensor], list[Sight]]:
        """Tokens `[K, H]` of each thing, and what was seen of it for region encoders and heads, which find it in `seen`."""
        ...


def probe(kind: MediaKind) -> Media:
    """A small medium of a kind: what shapes, costs and fillers of distributed steps are found with. Not constant, so that
    scaling and normalisation show."""
    if kind == "audio":
        # A tenth of a second at 16 kHz: short, but longer than one window of any spectrogram.
        return Media("audio", data=np.sin(np.arange(1600, dtype=np.float32) / 8)[:, None])
    if kind == "points":
        corners = np.stack(np.meshgrid(*[np.linspace(0, 1, 4, dtype=np.float32)] * 3), -1).reshape(-1, 3)
        # 64 points with their colours: six columns, as point encoders that read colours want, and positions that are no
        # constant.
        return Media("points", data=np.concatenate([corners, corners], axis=1))
    # Neither square nor symmetric, so that a part which confuses height and width fails on it.
    rows, columns = np.mgrid[0:48, 0:64]
    picture = np.stack([rows * 5, columns * 4, (rows * columns) % 256], axis=-1).astype(np.uint8)
    return Media("image", data=picture) if kind == "image" else Media("video", data=np.stack([picture] * 2))
