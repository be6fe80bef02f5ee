"""The embedded data set (`vistune.world`) as a reader: `world`, `world:?task=identity&split=test`, `world:?task=sounds`."""

from __future__ import annotations

from dataclasses import replace

from vistune.data.readers.base import Reader
from vistune.errors import InputError, nearest
from vistune.sample import Sample
from vistune.world.controls import Control
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
from vistune.world.senses import SENSES, sense_sample, sense_tasks


class World(Reader):
    """`size` samples drawn on demand; sample i of a seed is always the same.

    split:   train, validation or test (handwriting of different people)
    task:    "instructions" (conversations of mixed tasks), "captions" (for alignment), "mix" (one question each, the
             conversations' tasks in turn), "films", "sounds", "solids", "pages", "paint" or "edits" (the tasks of another
             sense in turn), or one task by its name
    size:    how many samples
    seed:    which ones: different seeds give different scenes
    turns:   questions in a conversation, at most
    pixels:  side of the pictures
    domain:  clean, outline, noise or inverse
    control: none, or what takes the answer out of films (shuffled_frames, one_frame), sounds (swapped_channels,
             one_channel) or solids (grey_points, shaken_points)

    pairs:   questions about existence with the false answer as `meta["rejected"]`, for preference tuning

    `turns`, `pixels` and `domain` are for pictures alone.
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
        control: Control = "none",
        pairs: bool = False,
    ) -> None:
        kinds = ["instructions", "captions", "mix", *SENSES, *tasks(), *sense_tasks()]
        if task not in kinds:
            raise InputError(f"the world has no task {task!r}{nearest(task, kinds)}")
        if size < 1 or turns < 1:
            raise InputError(f"the world needs a size and a number of turns of at least 1, not {size} and {turns}")
        scene_seed(seed, size - 1)
        if pairs and not task.startswith("existence"):
            raise InputError(f"pairs are made of questions about existence (existence_adversarial), not of the task {task!r}")
        self.pairs = pairs
        self.split, self.task, self.size, self.seed = split, task, size, seed
        self.turns, self.pixels, self.domain, self.control = turns, pixels, domain, control
        self._sense_tasks = SENSES[task].tasks() if task in SENSES else [task] if task in sense_tasks() else []
        if control != "none" and not self._sense_tasks:
            raise InputError(f"the control {control!r} is for films, sounds and solids, not for the task {task!r}")
        if self._sense_tasks and (turns, pixels, domain) != (6, 64, "clean"):
            raise InputError(f"turns, pixels and domain are for pictures, not for the task {task!r}")

    def __len__(self) -> int:
        return self.size

    def sample(self, index: int) -> Sample:
        """Sample number `index`; a picture's takes a millisecond or two, another sense's up to forty, drawn here and now."""
        seed = scene_seed(self.seed, index)
        if self._sense_tasks:
            return sense_sample(self._sense_tasks[index % len(self._sense_tasks)], seed, self.split, self.control)
        if self.task == "instructions":
            return conversation_sample(seed, self.split, self.turns, size=self.pixels, domain=self.domain)
        if self.task == "captions":
            return caption_sample(seed, self.split, self.pixels, self.domain)
        names = list(CONVERSATION_WEIGHTS)
        task = names[index % len(names)] if self.task == "mix" else self.task
        made = question_sample(task, seed, self.split, self.pixels, self.domain)
        if not self.pairs:
            return made
        other = "no" if made.turns[-1].text == "yes" else "yes"
        return replace(made, meta={**made.meta, "rejected": other})
