"""`--shots` of `predict` and `eval`: demonstrations before every question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vistune.sample import Sample

Shots = Annotated[int, typer.Option(min=0, help="Show so many answered samples before each question.")]
ShotsBy = Annotated[
    str, typer.Option(metavar="random|MODEL", help="Draw them, or take those whose pictures are nearest by a dual encoder.")
]
ShotsSeed = Annotated[int, typer.Option(help="Seed of the drawing.")]


def shown(count: int, by: str, seed: int) -> Callable[[Sequence[Sample], Sequence[Sample]], list[Sample]]:
    """(samples, demonstrations to choose from) -> samples with demonstrations before them; the dual encoder is opened once."""
    from vistune.evals.shots import with_shots

    if by == "random":
        return lambda samples, pool: with_shots(samples, pool, count, seed)
    from vistune.model.answering.dual_features import DualEncoder

    encoder = DualEncoder(by)
    return lambda samples, pool: with_shots(samples, pool, count, seed, encoder.media)
