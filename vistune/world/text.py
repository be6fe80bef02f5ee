"""Documents without pictures, on which a small language model learns the skills the tasks ask for.

A document tells in words what a scene holds and then asks the tasks' questions about it. Whoever has learnt to look up,
count, compare and copy boxes in such text has only seeing left to learn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vistune.sample import Box
from vistune.world.digits import SPLITS, Split
from vistune.world.exchange import plain
from vistune.world.expressions import phrase
from vistune.world.instructions import converse
from vistune.world.scene import Scene, make_scene


def percent(box: Box) -> str:
    """A box as whole hundredths: `[12, 30, 45, 62]`."""
    return f"[{', '.join(str(round(100 * edge)) for edge in box)}]"


def document(
    seed: int,
    split: Split = "train",
    turns: int = 8,
    box_text: Callable[[Box], str] = percent,
    roles: tuple[str, str] = ("Question: ", "Answer: "),
) -> str:
    """Document number `seed`: a scene as a list of objects with their boxes in any order, then `turns` questions and answers.

    `box_text` writes a box (a coordinate codec's way, so that the model learns that), `roles` are put before each question
    and answer; lines end with a line break.
    """
    scene, rng = make_scene(seed, split), np.random.default_rng([seed, SPLITS.index(split)])
    lines = [inventory(scene, rng, box_text)]
    for exchange in converse(scene, rng, turns):
        for role, parts in zip(roles, (exchange.question, exchange.answer), strict=True):
            lines.append(role + plain(parts, box_text))
    return "\n".join(lines) + "\n"


def inventory(scene: Scene, rng: np.random.Generator, box_text: Callable[[Box], str] = percent) -> str:
    """`A dark picture: small red seven [12, 30, 25, 58]; large blue circle [...].`"""
    things = [scene.objects[int(index)] for index in rng.permutation(len(scene.objects))]
    listed = "; ".join(f"{phrase(thing, size=True)} {box_text(thing.box)}" for thing in things)
    return f"A {'dark' if scene.dark else 'light'} picture: {listed}."
