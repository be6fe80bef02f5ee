"""Which samples of a step share a row: best-fit decreasing into a budget of tokens and pictures.

lengths   90 40 30 70 20      budget 100
rows      [90] [70 30] [40 20]               longest first, each into the row it fills up most; a new one where none has room
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vistune.errors import InputError
from vistune.model.packing import Example


@dataclass(slots=True)
class _Row:
    tokens: int = 0
    images: int = 0
    places: list[int] = field(default_factory=list)


def rows(examples: Sequence[Example], max_tokens: int | None, max_images: int | None) -> list[list[Example]]:
    """All examples, each once, in rows of at most `max_tokens` tokens and `max_images` encoder inputs (tiles count singly).

    A pure function of the examples' sizes and order; inside a row they stand in the order given. Raises `InputError`, naming
    it, for a sample that alone exceeds the budget.
    """
    sizes = [(len(example.rendered), sum(medium.layout.inputs for medium in example.media)) for example in examples]
    for example, (tokens, images) in zip(examples, sizes, strict=True):
        for what, size, limit in (("tokens", tokens, max_tokens), ("images", images, max_images)):
            if limit is not None and size > limit:
                raise InputError(
                    f"sample {example.id!r} takes {size} {what}, but max_{what} is {limit}: raise it or shorten the sample"
                )
    made: list[_Row] = []
    # Best fit, longest first: within a few percent of the optimum, deterministic, and quadratic only in the rows of one
    # batch.
    for place in sorted(range(len(examples)), key=lambda place: sizes[place], reverse=True):
        tokens, images = sizes[place]
        fitting = [
            row
            for row in made
            if (max_tokens is None or row.tokens + tokens <= max_tokens)
            and (max_images is None or row.images + images <= max_images)
        ]
        if not fitting:
            made.append(_Row())
            fitting = made[-1:]
        row = max(fitting, key=lambda row: (row.tokens, row.images))
        row.tokens, row.images = row.tokens + tokens, row.images + images
        row.places.append(place)
    # Back in the order given, so that what stands in a row does not depend on how it was filled.
    return [[examples[place] for place in sorted(row.places)] for row in made]
