"""Sheets of facts tell the truth about their scenes."""

from __future__ import annotations

from vistune.pretrain.facts import FACTS, fact_sample
from vistune.sample import Region, Sample, Text
from vistune.world.expressions import NUMBERS, PLURALS
from vistune.world.scene import SceneObject, make_scene
from vistune.world.tasks.detailed_caption import field
from vistune.world.tasks.spatial import direction

SEEDS = range(60)


def _facts(sample: Sample) -> list[tuple[list[str], list[Region]]]:
    """The words and boxes of each fact."""
    facts: list[tuple[list[str], list[Region]]] = [([], [])]
    for part in sample.turns[-1].parts:
        if isinstance(part, Region):
            facts[-1][1].append(part)
        elif part == Text(","):
            facts.append(([], []))
        else:
            assert isinstance(part, Text)
            facts[-1][0].extend(part.text.split())
    assert facts.pop() == ([], [])
    return facts


def _known(thing: SceneObject) -> set[str]:
    return {thing.name, thing.colour, thing.kind, thing.size, *field(thing).split()}


def _fits(words: list[str], thing: SceneObject) -> bool:
    return set(words) <= {thing.name, thing.colour}


def test_every_fact_is_true() -> None:
    seen = set()
    for seed in SEEDS:
        things = make_scene(seed, "train").objects
        facts = _facts(fact_sample(seed, "train"))
        assert len(facts) == FACTS
        for words, boxes in facts:
            if words[-1] in ("yes", "no"):
                kind = words[-1]
                assert any(_fits(words[:-1], thing) for thing in things) == (kind == "yes")
            elif words[-2:-1] and words[-2] in PLURALS.values():
                kind, what = "number", words[:-1]
                members = [thing for thing in things if set(what) <= {thing.colour, PLURALS[thing.kind], "objects"}]
                assert NUMBERS[len(members)] == words[-1]
            elif any(boxes) or any(set(words) <= _known(thing) for thing in things):
                kind = "attributes"
                assert any(set(words) <= _known(thing) and all(box.box == thing.box for box in boxes) for thing in things)
            else:
                kind, half = "direction", len(words) // 2
                sides = {direction(a, b) for a in things for b in things if _fits(words[:half], a) and _fits(words[half:-1], b)}
                assert words[-1] in sides
            seen.add(kind)
    assert seen == {"attributes", "number", "yes", "no", "direction"}


def test_a_sheet_follows_from_its_seed_and_tells_of_every_object() -> None:
    assert fact_sample(7, "train").turns == fact_sample(7, "train").turns
    assert fact_sample(7, "train").turns != fact_sample(7, "validation").turns
