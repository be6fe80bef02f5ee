"""The world beyond single pictures: what can be asked about films, sounds, solids, pages and paintings, and samples of it.

Each sense is a room of `vistune.world` with a generator and a folder of tasks, one file each, whose `ask(subject, rng)` gives
an `Exchange` or None, as the pictures' tasks do.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np

from vistune import spec
from vistune.errors import InputError, nearest
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn
from vistune.world.controls import Control, apply_control
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.errands.errand import make_errand
from vistune.world.exchange import Exchange
from vistune.world.films.film import make_film
from vistune.world.pages.page import make_page
from vistune.world.paint.edit import make_edit
from vistune.world.paint.painting import make_painting
from vistune.world.solids.cloud import make_cloud
from vistune.world.sounds.sound import make_sound


class Subject(Protocol):
    """A film, a sound, a cloud, a page or a painting: what a question is about."""

    @property
    def seed(self) -> int:
        """The number it was drawn from."""

    def media(self) -> tuple[Media, ...]:
        """Its media, those to be made behind those that are shown."""

    def regions(self) -> tuple[Region, ...]:
        """Its objects that have a place on a picture."""

    def facts(self) -> list[dict[str, object]]:
        """Its full truth as plain JSON."""


@dataclass(frozen=True, slots=True)
class Sense:
    """A generator `make(seed, split)` and the folder of its tasks."""

    folder: str
    make: Callable[..., Subject]

    def tasks(self) -> list[str]:
        """The names of its tasks."""
        return spec.kinds(self.folder)


SENSES: dict[str, Sense] = {
    "films": Sense("vistune.world.films.tasks", make_film),
    "sounds": Sense("vistune.world.sounds.tasks", make_sound),
    "solids": Sense("vistune.world.solids.tasks", make_cloud),
    "pages": Sense("vistune.world.pages.tasks", make_page),
    "paint": Sense("vistune.world.paint.tasks", make_painting),
    "edits": Sense("vistune.world.paint.edits", make_edit),
    "errands": Sense("vistune.world.errands.tasks", make_errand),
}


# Things that a film must hold for a task to have a chance; films of one thing would be drawn in vain.
_COUNTS = {"film_meeting": 3, "film_order": 3}


class _Task(Protocol):
    def ask(self, subject: Any, rng: np.random.Generator) -> Exchange | None: ...


@cache
def sense_of(task: str) -> Sense:
    """The sense that a task belongs to. Raises `InputError` with the nearest task for an unknown one."""
    for sense in SENSES.values():
        if task in sense.tasks():
            return sense
    raise InputError(f"the world has no task {task!r}{nearest(task, sense_tasks())}")


@cache
def _task(name: str) -> _Task:
    return cast(_Task, import_module(f"{sense_of(name).folder}.{name}"))


def sense_tasks() -> list[str]:
    """The names of all tasks of all senses."""
    return [task for sense in SENSES.values() for task in sense.tasks()]


def ask(task: str, subject: Any, rng: np.random.Generator) -> Exchange | None:
    """One question of a sense's task about a subject; None when it does not lend itself."""
    return _task(task).ask(subject, rng)


def converse_about(subject: Any, rng: np.random.Generator, turns: int, names: Sequence[str]) -> list[Exchange]:
    """Up to `turns` questions of these tasks, nothing asked twice; fewer, or none, where the subject offers no more."""
    exchanges = dict[str, Exchange]()
    # Three draws a wanted turn, since a subject declines many tasks; without an end, a poor subject would be asked for ever.
    for draw in rng.integers(len(names), size=3 * turns).tolist():
        if (exchange := _task(names[draw]).ask(subject, rng)) is not None:
            # By topic, not by words: a second wording of an asked question would repeat its answer.
            exchanges.setdefault(exchange.topic, exchange)
        if len(exchanges) == turns:
            break
    return list(exchanges.values())


def sense_sample(task: str, seed: int, split: Split, control: Control = "none") -> Sample:
    """One question of one task: about subject `seed`, or about the first one drawn after it that the task can ask about.

    `control` breaks the media in a way that takes the answer out of them.
    """
    if seed < 0:
        raise InputError(f"samples are numbered from seed 0, not {seed}")
    sense, found = sense_of(task), _task(task)
    # The task is part of the seed: two tasks about one subject would otherwise draw the same wordings and answers.
    rng = np.random.default_rng([seed, SPLITS.index(check_split(split)), zlib.crc32(task.encode())])
    number = seed
    needs = {"count": _COUNTS[task]} if task in _COUNTS else {}
    while True:
        subject = sense.make(number, split, **needs)
        exchange = found.ask(subject, rng)
        if exchange is not None:
            return _sample(task, seed, split, subject, exchange, control, rng)
        number = int(rng.integers(2**31))


def sense_conversation(sense: str, seed: int, split: Split, turns: int = 6) -> Sample:
    """Up to `turns` questions of a sense's tasks about one subject as one conversation, nothing asked twice.

    What is to be made ends an answer, so the senses `paint` and `edits` have no conversations: `InputError`.
    """
    if sense in ("paint", "edits") or sense not in SENSES:
        raise InputError(f"there are conversations about films, sounds, solids and pages, not about {sense!r}")
    found, number = SENSES[sense], seed
    rng = np.random.default_rng([seed, SPLITS.index(check_split(split)), zlib.crc32(sense.encode())])
    names = found.tasks()
    while True:
        subject = found.make(number, split)
        exchanges = converse_about(subject, rng, turns, names)
        if exchanges:
            break
        number = int(rng.integers(2**31))
    first, *rest = exchanges
    sample = _sample(names[0], seed, split, subject, first, "none", rng)
    further = [turn for one in rest for turn in (Turn("user", one.question), Turn("assistant", one.answer))]
    name = f"{sense} conversation"
    return replace(
        sample,
        id=f"world-{split}-{sense}-conversation-{seed}",
        turns=(*sample.turns, *further),
        answers=(),
        meta={**sample.meta, "task": name, "sense": sense},
    )


def _sample(
    task: str,
    seed: int,
    split: Split,
    subject: Subject,
    exchange: Exchange,
    control: Control,
    rng: np.random.Generator,
) -> Sample:
    media = subject.media()
    made = {part.index for part in exchange.answer if not isinstance(part, Text | Region)}
    shown: list[Part] = []
    for index in range(len(media)):
        if index not in made:
            shown += [MediaRef(index), Text("\n")]
    first, *rest = exchange.question
    assert isinstance(first, Text), "a question begins with words"
    # Only the last line break joins the words, so that words are one text part, as readers of other formats make them.
    question = (*shown[:-1], Text("\n" + first.text), *rest) if shown else exchange.question
    media = tuple(apply_control(medium, control, rng) for medium in media)
    meta = {"dataset": "world", "task": task, "split": split, "seed": seed, "scenes": [subject.seed]}
    if control != "none":
        meta["control"] = control
    return Sample(
        id=f"world-{split}-{task}-{seed}",
        media=media,
        turns=(
            *(turn for one in exchange.before for turn in (Turn("user", one.question), Turn("assistant", one.answer))),
            Turn("user", question),
            Turn("assistant", exchange.answer),
        ),
        regions=subject.regions(),
        answers=exchange.answers,
        meta={**meta, "truth": subject.facts()},
    )
