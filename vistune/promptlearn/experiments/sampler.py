"""Few-shot samples, exactly as published: CoOp's seeds give CoOp's images."""

from __future__ import annotations

import random
from collections.abc import Sequence

from vistune.errors import InputError
from vistune.promptlearn.datasets.base import Dataset, Item


def sample_shots(dataset: Dataset, shots: int, seed: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """`shots` training images a class, and min(`shots`, 4) for validation, drawn from one generator in that order.

    Classes are visited as they first appear in each list. Raises `InputError` for a class with too few images.
    """
    generator = random.Random(seed)
    train = _sample(dataset.train, shots, dataset, "train", generator)
    return train, _sample(dataset.val, min(shots, 4), dataset, "val", generator) if dataset.val else ()


def _sample(items: Sequence[Item], shots: int, dataset: Dataset, split: str, generator: random.Random) -> tuple[Item, ...]:
    by_label: dict[int, list[Item]] = {}
    for item in items:
        by_label.setdefault(item.label, []).append(item)
    if not by_label:
        raise InputError(f"data set {dataset.name} has no {split} images")
    chosen: list[Item] = []
    for label, own in by_label.items():
        if len(own) < shots:
            raise InputError(
                f"data set {dataset.name}: class {dataset.names[label]!r} has {len(own)} {split} images, "
                f"and {shots} shots were asked for"
            )
        chosen += generator.sample(own, shots)
    return tuple(chosen)


def flip_labels(items: Sequence[Item], classes: int, rate: float, kind: str, seed: int) -> tuple[Item, ...]:
    """Labels of a share of each class's images made wrong: `symmetric` to any other class, `asymmetric` to the next one."""
    generator = random.Random(seed)
    by_label: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        by_label.setdefault(item.label, []).append(i)
    noisy = list(items)
    for label, own in by_label.items():
        for i in generator.sample(own, round(rate * len(own))):
            others = [other for other in range(classes) if other != label]
            wrong = (label + 1) % classes if kind == "asymmetric" else generator.choice(others)
            noisy[i] = Item(items[i].media, wrong)
    return tuple(noisy)
