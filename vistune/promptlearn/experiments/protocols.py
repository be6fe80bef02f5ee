"""The six protocols: which classes are taught from which images, and what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from vistune.errors import InputError
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.base import Dataset, Item
from vistune.promptlearn.datasets.imagenet import VARIANTS
from vistune.promptlearn.datasets.open import ELEVEN, open_dataset
from vistune.promptlearn.datasets.world import DOMAINS
from vistune.promptlearn.experiments.sampler import flip_labels, sample_shots

Protocol: TypeAlias = Literal["few_shot", "base2novel", "cross_dataset", "domain_generalisation", "test_time", "label_noise"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One test set: its candidate classes and images, labels relative to those classes."""

    name: str
    classes: Classes
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What one run is taught and tested with.

    `unlabelled` and `everything` are for methods that use images of new classes, `validation` for those that choose a number.
    """

    dataset: Dataset
    taught: Classes
    train: tuple[Item, ...]
    tests: tuple[Evaluation, ...]
    unlabelled: tuple[Item, ...]
    everything: Classes
    adapt_at_test: bool = False
    validation: tuple[Item, ...] = ()


def make_task(
    protocol: Protocol,
    dataset: Dataset,
    shots: int,
    seed: int,
    *,
    root: Path | None = None,
    noise: float = 0.5,
    noise_kind: Literal["symmetric", "asymmetric"] = "symmetric",
) -> Task:
    """The task of a protocol. `noise` is the share of wrong labels for `label_noise`."""
    train, validation = ((), ()) if protocol == "test_time" else sample_shots(dataset, shots, seed)
    every = dataset.classes()
    tests: tuple[Evaluation, ...] = (Evaluation("test", every, dataset.test),)
    if protocol == "label_noise":
        train = flip_labels(train, len(every), noise, noise_kind, seed)
    elif protocol == "base2novel":
        base, novel = halves(dataset)
        tests = (
            Evaluation("base", base, _of(dataset.test, dataset, base)),
            Evaluation("novel", novel, _of(dataset.test, dataset, novel)),
        )
        kept = _of(validation, dataset, base) if validation else ()
        everything = replace(every, split="mixed")
        return Task(dataset, base, _of(train, dataset, base), tests, dataset.train, everything, validation=kept)
    elif protocol in ("cross_dataset", "domain_generalisation"):
        split: Literal["seen", "unseen"] = "unseen" if protocol == "cross_dataset" else "seen"
        others = [open_dataset(name, root) for name in targets(protocol, dataset.name)]
        tests = (*tests, *(Evaluation(one.name, replace(one.classes(), split=split), one.test) for one in others))
    return Task(dataset, every, train, tests, dataset.train, every, protocol == "test_time", validation)


def targets(protocol: Protocol, source: str) -> tuple[str, ...]:
    """The data sets a source is carried over to. Raises `InputError` when the protocol has none for it."""
    if source == "world":
        return ("world_digits", "world_shapes") if protocol == "cross_dataset" else tuple(DOMAINS)
    if source != "imagenet":
        raise InputError(f"protocol {protocol} starts from imagenet (or world), not from {source}")
    return tuple(name for name in ELEVEN if name != source) if protocol == "cross_dataset" else tuple(VARIANTS)


def halves(dataset: Dataset) -> tuple[Classes, Classes]:
    """Base and novel classes: the first half of the label ids, rounded up, and the rest."""
    middle = (len(dataset.names) + 1) // 2
    if middle == len(dataset.names):
        raise InputError(f"data set {dataset.name} has {len(dataset.names)} class: base-to-novel needs two")
    classes = dataset.classes()
    return classes.subset(dataset.names[:middle], "seen"), classes.subset(dataset.names[middle:], "unseen")


def _of(items: Sequence[Item], dataset: Dataset, classes: Classes) -> tuple[Item, ...]:
    """The items of some classes, labelled by their place among them. Raises `InputError` when there is none."""
    place = {dataset.names.index(name): i for i, name in enumerate(classes.names)}
    kept = tuple(Item(item.media, place[item.label]) for item in items if item.label in place)
    if not kept:
        raise InputError(
            f"data set {dataset.name} has no image of the classes {', '.join(classes.names[:3])} ...: the split is empty"
        )
    return kept


def harmonic_mean(base: float, novel: float) -> float:
    """2 b n / (b + n); of averages over data sets, not the average of harmonic means."""
    return 2 * base * novel / (base + novel) if base + novel else 0.0
