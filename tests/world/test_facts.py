"""Sheets of facts tell the truth about their scenes."""

from __future__ import annotations

from collections.abc import Iterable

from vistune.sample import Region, Sample, Text
from vistune.world.expressions import NUMBERS, PLURALS, digit_value, expressions
from vistune.world.instructions import question_sample
from vistune.world.scene import Scene, SceneObject, make_scene
from vistune.world.tasks.detailed_caption import field
from vistune.world.tasks.facts import FACTS
from vistune.world.tasks.spatial import direction

SEEDS = range(60)


def _facts(sample: Sample) -> list[tuple[list[str], list[Region]]]:
    """The words and boxes of each fact."""
    facts: list[tuple[list[str], list[Region]]] = [([], [])]
    for part in sample.turns[-1].parts:
        if isinstance(part, Region):
            facts[-1][1].append(part)
            continue
        assert isinstance(part, Text)
        first, *others = part.text.split(",")
        facts[-1][0].extend(first.split())
        facts += [(other.split(), []) for other in others]
    return [fact for fact in facts if fact != ([], [])]


def _known(thing: SceneObject) -> set[str]:
    return {thing.name, thing.colour, thing.kind, thing.size, *field(thing).split()}


def _called(words: list[str], things: Iterable[SceneObject]) -> list[SceneObject]:
    return [thing for thing in things if set(words) <= {thing.name, thing.colour}]


def _describes(words: list[str], thing: SceneObject, scene: Scene) -> bool:
    """Are these attributes of the object, perhaps behind an expression that fits it alone?"""
    said = " ".join(words)
    opened = [expression.text.removeprefix("the ") for expression in expressions(scene, thing)]
    return any(set(said.removeprefix(text).split()) <= _known(thing) for text in ("", *opened) if said.startswith(text))


def _kind(words: list[str], boxes: list[Region], scene: Scene) -> str:
    """Which kind of fact this is, once it has been found true."""
    things, said = scene.objects, words[-1] if words else ""
    if said in ("yes", "no"):
        assert bool(_called(words[:-1], things)) == (said == "yes")
        return said
    if words[-2:-1] and words[-2] in PLURALS.values():
        members = [thing for thing in things if set(words[:-1]) <= {thing.colour, PLURALS[thing.kind], "objects"}]
        assert NUMBERS[len(members)] == said
        return "number"
    if words and words[0] in ("plus", "higher", "lower"):
        digits = [thing for thing in things if thing.kind == "digit"]
        ((first,), (second,)) = ([digit for digit in digits if digit.colour == colour] for colour in words[1:3])
        low, high = sorted((first, second), key=digit_value)
        wanted = {"plus": NUMBERS[digit_value(low) + digit_value(high)], "higher": high.colour, "lower": low.colour}
        assert said == wanted[words[0]]
        return words[0]
    for thing in things:
        if _describes(words, thing, scene) and all(box.box == thing.box for box in boxes):
            return "attributes"
    half = len(words) // 2
    assert said in {direction(a, b) for a in _called(words[:half], things) for b in _called(words[half:-1], things)}
    return "direction"


def test_every_fact_is_true() -> None:
    seen = set()
    for seed in SEEDS:
        facts = _facts(question_sample("facts", seed, "train"))
        assert len(facts) == FACTS
        seen |= {_kind(*fact, make_scene(seed, "train")) for fact in facts}
    assert seen == {"attributes", "number", "yes", "no", "direction", "plus", "higher", "lower"}


def test_a_sheet_follows_from_its_seed_and_differs_between_splits() -> None:
    assert question_sample("facts", 7, "train").turns == question_sample("facts", 7, "train").turns
    assert question_sample("facts", 7, "train").turns != question_sample("facts", 7, "validation").turns
