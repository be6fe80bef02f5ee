"""Samples from scenes: alignment captions, conversations of mixed tasks, single questions. Everything follows from a seed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from vistune import spec
from vistune.errors import InputError, nearest
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.exchange import Exchange
from vistune.world.expressions import phrase
from vistune.world.ink import Domain
from vistune.world.scene import Scene, make_scene

_FOLDER = "vistune.world.tasks"

# How often a conversation turns to each task. Masks are left out: a model needs a mask head to answer those.
CONVERSATION_WEIGHTS: Mapping[str, float] = {
    "arithmetic": 1.0,
    "caption": 0.5,
    "classification": 0.5,
    "colour": 1.5,
    "comparison": 1.0,
    "count": 2.0,
    "describe_region": 1.0,
    "detailed_caption": 0.25,
    "detection": 0.75,
    "existence_adversarial": 1.5,
    "existence_popular": 0.75,
    "existence_random": 0.75,
    "identity": 3.0,
    "reading": 1.0,
    "refer_box": 2.0,
    "spatial": 1.0,
}


class _Task(Protocol):
    def ask(self, scene: Scene, rng: np.random.Generator) -> Exchange | None: ...


MAX_SIZE = 2**40  # samples of one data set


def scene_seed(seed: int, index: int) -> int:
    """The seed of sample `index` of the data set called `seed`: no two data sets share one. Raises `InputError` below zero."""
    if seed < 0 or not 0 <= index < MAX_SIZE:
        raise InputError(f"a data set's seed is zero or above and it has up to 2**40 samples, not seed {seed}, sample {index}")
    return seed * MAX_SIZE + index


def tasks() -> list[str]:
    """The names of all tasks: the files of `vistune/world/tasks`."""
    return spec.kinds(_FOLDER)


@cache
def _task(name: str) -> _Task:
    if name not in tasks():
        raise InputError(f"the world has no task {name!r}{nearest(name, tasks())}")
    return cast(_Task, import_module(f"{_FOLDER}.{name}"))


def question_sample(task: str, seed: int, split: Split, size: int = 64, domain: Domain = "clean") -> Sample:
    """One question of one task: about scene `seed`, or about the first scene drawn after it that the task can ask about."""
    found, rng, scene_seed = _task(task), _rng(task, seed, split), seed
    while True:
        scene = make_scene(scene_seed, split, size, domain=domain)
        exchange = found.ask(scene, rng)
        if exchange is not None:
            return _sample(task, seed, scene, [*exchange.before, exchange])
        scene_seed = int(rng.integers(2**31))


def caption_sample(seed: int, split: Split, size: int = 64, domain: Domain = "clean") -> Sample:
    """For the alignment stage: the picture with a request to describe it, answered with its short caption (see `caption`)."""
    return question_sample("caption", seed, split, size, domain)


def conversation_sample(
    seed: int,
    split: Split,
    turns: int = 6,
    weights: Mapping[str, float] = CONVERSATION_WEIGHTS,
    size: int = 64,
    domain: Domain = "clean",
) -> Sample:
    """Up to `turns` questions of mixed tasks about one scene as one conversation, nothing asked twice.

    LLaVA-1.5 merges the questions of one picture into one conversation in the same way (Liu et al. 2024, section 3.3). A
    scene of one object lends itself to fewer questions than `turns`; there is always one. `weights` says how often each
    task is tried; tasks about two pictures and follow-up questions stand alone and are refused here.
    """
    rng, scene_seed = _rng("conversation", seed, split), seed
    while True:
        scene = make_scene(scene_seed, split, size, domain=domain)
        exchanges = converse(scene, rng, turns, weights)
        if exchanges:
            return _sample("instructions", seed, scene, exchanges)
        scene_seed = int(rng.integers(2**31))


def converse(
    scene: Scene, rng: np.random.Generator, turns: int, weights: Mapping[str, float] = CONVERSATION_WEIGHTS
) -> list[Exchange]:
    """Up to `turns` exchanges about a scene, no topic twice; fewer (or none) where the scene does not lend itself to more."""
    for name in weights:
        if name in ("dialogue", "two_images"):
            raise InputError(f"the task {name!r} stands alone: it cannot be mixed into a conversation")
    if not weights or turns < 1 or min(weights.values()) <= 0:
        raise InputError("a conversation needs turns >= 1 and at least one task, each with a weight above zero")
    names, bounds = list(weights), np.cumsum(list(weights.values()))
    exchanges: dict[str, Exchange] = {}
    for draw in rng.random(3 * turns) * bounds[-1]:
        exchange = _task(names[int(np.searchsorted(bounds, draw, side="right"))]).ask(scene, rng)
        if exchange is not None:
            exchanges.setdefault(exchange.topic, exchange)
        if len(exchanges) == turns:
            break
    return list(exchanges.values())


def _rng(task: str, seed: int, split: Split) -> np.random.Generator:
    if seed < 0:
        raise InputError(f"samples are numbered from seed 0, not {seed}")
    return np.random.default_rng([seed, SPLITS.index(check_split(split)), zlib.crc32(task.encode())])


def _sample(task: str, seed: int, scene: Scene, exchanges: list[Exchange]) -> Sample:
    last = exchanges[-1]
    scenes = (scene, *last.others)
    shown: list[Part] = []
    for index in range(len(scenes)):
        shown += [MediaRef(index), Text("\n")]
    turns: list[Turn] = []
    for exchange in exchanges:
        question = exchange.question
        if not turns:  # one text after the last picture: its line break and the question's first words
            first = question[0]
            assert isinstance(first, Text), "a question begins with words"
            question = (*shown[:-1], Text("\n" + first.text), *question[1:])
        turns += [Turn("user", question), Turn("assistant", exchange.answer)]
    return Sample(
        id=f"world-{scene.split}-{task}-{seed}",
        media=tuple(Media("image", data=one.image) for one in scenes),
        turns=tuple(turns),
        regions=tuple(
            Region(media=index, box=thing.box, label=phrase(thing)) for index, one in enumerate(scenes) for thing in one.objects
        ),
        answers=last.answers if task != "instructions" else (),
        meta={"dataset": "world", "task": task, "split": scene.split, "seed": seed, "scenes": [one.seed for one in scenes]},
    )
