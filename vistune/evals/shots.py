"""Few-shot evaluation in context: which answered samples stand before a question.

`random` draws them for each question, by the seed and the question's id; `nearest` takes those whose pictures are most like the
question's, the most alike last (retrieval-based in-context examples, Alayrac et al., Flamingo, NeurIPS 2022, appendix A.2).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.in_context import in_context
from vistune.errors import InputError
from vistune.sample import Media, Sample

Features = Callable[[Sequence[Media]], NDArray[np.float32]]
"""Features `[N, D]` of pictures."""


def with_shots(
    samples: Sequence[Sample], pool: Sequence[Sample], count: int, seed: int = 0, features: Features | None = None
) -> list[Sample]:
    """Every sample with `count` of the pool before it, none of them itself; drawn at random, or the nearest by `features`.

    Raises `InputError` when the pool is too small, when one of those to be shown has no answer, and when pictures are compared
    of a sample that has none.
    """
    usable = [shot for shot in pool if shot.turns and (shot.answers or shot.turns[-1].role == "assistant")]
    if len(usable) <= count:
        raise InputError(f"{count} demonstrations of {len(usable)} answered samples: there must be more to choose from")
    if count == 0:
        return list(samples)
    ranked = None if features is None else _ranking(samples, usable, features)
    made = []
    for number, sample in enumerate(samples):
        if ranked is None:
            drawn = random.Random(f"{seed}/{sample.id}").sample(range(len(usable)), count + 1)
            order = [usable[place] for place in drawn if not _same(usable[place], sample)][:count]
        else:
            order = [usable[place] for place in ranked[number] if not _same(usable[place], sample)][:count][::-1]
        if len(order) < count:
            raise InputError(f"{sample.where}: the demonstrations hold it more than once, and only {len(order)} others")
        made.append(in_context(sample, order))
    return made


def _same(shot: Sample, sample: Sample) -> bool:
    """Is the demonstration the question itself? Ids of another split may be the same."""
    alike = shot.id == sample.id and shot.turns[0].text == (sample.turns[0].text if sample.turns else "")
    return alike and [medium.path for medium in shot.media] == [medium.path for medium in sample.media]


def _ranking(samples: Sequence[Sample], pool: Sequence[Sample], features: Features) -> list[list[int]]:
    """Of each sample the pool's places, the most alike first; equal ones in the pool's order."""
    theirs, ours = (_unit(features([_picture(sample) for sample in group])) for group in (pool, samples))
    return [np.argsort(-(theirs @ row), kind="stable").tolist() for row in ours]


def _picture(sample: Sample) -> Media:
    picture = next((medium for medium in sample.media if medium.kind == "image"), None)
    if picture is None:
        raise InputError(f"{sample.where} shows no picture by which demonstrations could be found")
    return picture


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(norms > 0, norms, 1))
