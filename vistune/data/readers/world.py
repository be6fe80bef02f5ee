"""The embedded data set (`vistune.world`) as a reader: `world`, `world:?task=identity&split=test&size=500`."""

from __future__ import annotations

from vistune.data.readers.base import Reader
from vistune.errors import InputError, nearest
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.ink import Domain
from vistune.world.instructions import (
    CONVERSATION_WEIGHTS,
    caption_sample,
    conversation_sample,
    question_sample,
    scene_seed,
    tasks,
)


class World(Reader):
    """`size` samples drawn on demand; sample i of a seed is always the same.

    split:   train, validation or test (handwriting of different people)
    task:    "instructions" (conversations of mixed tasks), "captions" (for alignment), "mix" (one question each, the
             conversations' tasks in turn), or one task by its name
    size:    how many samples
    seed:    which ones: different seeds give different scenes
    turns:   questions in a conversation, at most
    pixels:  side of the pictures
    domain:  clean, outline, noise or inverse
    """

    def __init__(
        self,
        split: Split = "train",
        task: str = "instructions",
        size: int = 10_000,
        seed: int = 0,
        turns: int = 6,
        pixels: int = 64,
        domain: Domain = "clean",
    ) -> None:
        kinds = ["instructions", "captions", "mix", *tasks()]
        if task not in kinds:
            raise InputError(f"the world has no task {task!r}{nearest(task, kinds)}")
        if size < 1 or turns < 1:
            raise InputError(f"the world needs a size and a number of turns of at least 1, not {size} and {turns}")
        scene_seed(seed, size - 1)
        self.split, self.task, self.size, self.seed = split, task, size, seed
        self.turns, self.pixels, self.domain = turns, pixels, domain

    def __len__(self) -> int:
        return self.size

    def sample(self, index: int) -> Sample:
        """Sample number `index`; a millisecond or two, as it is drawn here and now."""
        seed = scene_seed(self.seed, index)
        if self.task == "instructions":
            return conversation_sample(seed, self.split, self.turns, size=self.pixels, domain=self.domain)
        if self.task == "captions":
            return caption_sample(seed, self.split, self.pixels, self.domain)
        names = list(CONVERSATION_WEIGHTS)
        task = names[index % len(names)] if self.task == "mix" else self.task
        return question_sample(task, seed, self.split, self.pixels, self.domain)
