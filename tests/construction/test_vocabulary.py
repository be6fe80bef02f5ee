"""Absent names: the same as by sorting everything anew for every picture, without doing so."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from vistune.construction.operators.negatives import Vocabulary, Way


def sorted_anew(vocabulary: Vocabulary, present: list[str], way: Way, count: int, draw: random.Random) -> list[str]:
    """The three ways by their definition."""
    others = sorted(set(vocabulary.names) - set(present))
    if way == "random":
        return draw.sample(others, min(count, len(others)))
    weight = vocabulary.names
    if way == "adversarial":
        weight = Counter()
        for name in set(present):
            weight.update(vocabulary.together.get(name, {}))
    return sorted(others, key=lambda name: (-weight[name], name))[:count]


@pytest.mark.parametrize("way", ["random", "popular", "adversarial"])
@pytest.mark.parametrize("kinds", [3, 40, 2000])
def test_the_names_are_those_of_the_definition(way: Way, kinds: int):
    vocabulary, drawing = Vocabulary(), random.Random(kinds)
    for seed in range(150):
        present = [f"thing {int(drawing.paretovariate(0.4)) % kinds}" for _ in range(drawing.randrange(7))]
        for count in (1, 2, 30):
            expected = sorted_anew(vocabulary, present, way, count, random.Random(seed))
            assert vocabulary.absent(present, way, count, random.Random(seed)) == expected
        vocabulary.learn(present)


def test_a_vocabulary_may_begin_with_names():
    counted = Vocabulary(Counter({"cat": 1, "sofa": 3}))
    assert counted.absent([], "popular", 2, random.Random(0)) == ["sofa", "cat"]
    counted.learn(["cat"])
    assert counted.absent(["sofa"], "random", 5, random.Random(0)) == ["cat"]


class Touched(str):
    """A name that counts how often anything compares it or asks for its hash: the work that grows with the number of names."""

    times = 0

    def __lt__(self, other: str) -> bool:
        Touched.times += 1
        return str.__lt__(self, other)

    def __hash__(self) -> int:
        Touched.times += 1
        return str.__hash__(self)


def touches(pictures: int) -> int:
    vocabulary, draw = Vocabulary(), random.Random(0)
    Touched.times = 0
    for number in range(pictures):
        present = [Touched(f"{number}-{index}") for index in range(3)]
        for way in ("random", "popular", "adversarial"):
            vocabulary.absent(present, way, 1, draw)  # type: ignore[arg-type]
        vocabulary.learn(present)
    return Touched.times


def test_the_work_on_names_that_never_repeat_grows_with_their_number():
    assert touches(800) < 8 * touches(200), "sorting anew does sixteen times as much and more"
