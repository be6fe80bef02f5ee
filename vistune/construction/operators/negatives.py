"""Negatives: true questions about what is not there, answered truthfully.

Random, popular and adversarial absent objects (POPE's three ways), wrong attributes, absent categories at a place (Ferret's
spatial negatives), and captions of another picture (modality mismatch).
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from itertools import islice
from typing import Literal, TypeAlias

from vistune.construction.boxes import Notation
from vistune.construction.record import Operator, Record, each, pairs_to_turns

Way: TypeAlias = Literal["random", "popular", "adversarial"]

ABSENT = (
    "Is there {it} in the picture?",
    "Do you see {it} here?",
    "Does the picture show {it}?",
)
_NO = ("No, there is no {name} in the picture.", "No, I see no {name} here.", "No. The picture shows no {name}.")
_YES = ("Yes, there is {it} in the picture.", "Yes, I see {it} here.", "Yes. The picture shows {it}.")


@dataclass(slots=True)
class Vocabulary:
    """Names seen so far, how often, and how often together: what popular and adversarial absence mean.

    Their orders are kept as they grow, because sorting them anew for every picture would take a time quadratic in the data.
    """

    names: Counter[str] = field(default_factory=Counter)
    together: dict[str, Counter[str]] = field(default_factory=dict)
    _by_name: list[str] = field(init=False)
    _by_count: list[tuple[int, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = sorted(self.names)
        self._by_count = sorted((-count, name) for name, count in self.names.items())

    def learn(self, present: Sequence[str]) -> None:
        """Count one picture's names."""
        unique = sorted(set(present))
        for name in unique:
            self._count(name)
            self.together.setdefault(name, Counter()).update(other for other in unique if other != name)

    def _count(self, name: str) -> None:
        before = self.names[name]
        self.names[name] = before + 1
        if before:
            del self._by_count[bisect_left(self._by_count, (-before, name))]
        else:
            insort(self._by_name, name)
        insort(self._by_count, (-before - 1, name))

    def absent(self, present: Sequence[str], way: Way, count: int, draw: random.Random) -> list[str]:
        """Up to `count` names that are not present: drawn evenly, the commonest, or those most often beside what is present."""
        shown = set(present)
        if way == "random":
            return self._drawn(shown, count, draw)
        if way == "popular":
            return _first((name for _, name in self._by_count), shown, count)
        weight: Counter[str] = Counter()
        for name in sorted(shown):
            weight.update(self.together.get(name, {}))
        beside = nsmallest(count, weight.keys() - shown, key=lambda name: (-weight[name], name))
        return beside + _first(self._by_name, shown | weight.keys(), count - len(beside))

    def _drawn(self, shown: set[str], count: int, draw: random.Random) -> list[str]:
        """Drawn by place among the absent names in order; every present one before a place moves it on by one."""
        skipped = sorted(bisect_left(self._by_name, name) for name in shown if name in self.names)
        absent = len(self._by_name) - len(skipped)
        places = draw.sample(range(absent), min(count, absent))
        return [self._by_name[_moved(place, skipped)] for place in places]


def _moved(place: int, skipped: Sequence[int]) -> int:
    for taken in skipped:
        if taken > place:
            break
        place += 1
    return place


def _first(names: Iterable[str], without: Set[str], count: int) -> list[str]:
    return list(islice((name for name in names if name not in without), count))


def absent_objects(
    vocabulary: Vocabulary, ways: Sequence[Way] = ("random", "popular", "adversarial"), each_way: int = 1, seed: int = 0
) -> Operator:
    """Questions about existence, as many about present objects as about absent ones, as a record of their own.

    The vocabulary also learns from every record that passes, so the first records see few names: fill it beforehand where
    that matters.
    """

    def make(record: Record) -> list[Record]:
        present = [region.label for region in record.facts.objects if region.label]
        draw = random.Random(f"{seed}:absent:{record.id}")
        missing = [name for way in ways for name in vocabulary.absent(present, way, each_way, draw)]
        missing = list(dict.fromkeys(missing))
        vocabulary.learn(present)
        seen = sorted(set(present))
        shown = draw.sample(seen, min(len(missing), len(seen)))
        entries = [(name, _NO) for name in missing] + [(name, _YES) for name in shown]
        # Absent ones first would teach that the first answer is no.
        draw.shuffle(entries)
        pairs = [
            (draw.choice(ABSENT).format(it=an(name)), draw.choice(told).format(it=an(name), name=name))
            for name, told in entries
        ]
        made = replace(record, id=f"{record.id}/absent", task="existence", turns=pairs_to_turns(pairs))
        return _beside(record, made if missing else None)

    return each(make)


def preferred_existence(
    vocabulary: Vocabulary, ways: Sequence[Way] = ("random", "popular", "adversarial"), each_way: int = 1, seed: int = 0
) -> Operator:
    """Pairs to prefer among: each question about existence alone, answered truly, and by its contrary in `meta["rejected"]`.

    As many are about present objects as about absent ones, so that neither answer is preferred as such.
    """

    def make(record: Record) -> list[Record]:
        present = [region.label for region in record.facts.objects if region.label]
        draw = random.Random(f"{seed}:preferred:{record.id}")
        missing = list(dict.fromkeys(name for way in ways for name in vocabulary.absent(present, way, each_way, draw)))
        vocabulary.learn(present)
        seen = sorted(set(present))
        shown = draw.sample(seen, min(len(missing), len(seen)))
        made: list[Record] = []
        for name, there in [*((name, True) for name in shown), *((name, False) for name in missing[: len(shown)])]:
            true, false = (draw.choice(_YES if says else _NO).format(it=an(name), name=name) for says in (there, not there))
            question = draw.choice(ABSENT).format(it=an(name))
            one = replace(record, id=f"{record.id}/{len(made)}", task="existence", turns=pairs_to_turns([(question, true)]))
            made.append(replace(one, meta={**record.meta, "rejected": false}))
        return made or [record.rejected("no negative possible")]

    return each(make)


def absent_at_place(vocabulary: Vocabulary, notation: Notation, seed: int = 0) -> Operator:
    """Ask whether a box holds a category that it does not; the answer names what is there (Ferret)."""

    def make(record: Record) -> list[Record]:
        named = [region for region in record.facts.objects if region.label and region.box]
        draw = random.Random(f"{seed}:place:{record.id}")
        present = [region.label or "" for region in named]
        missing = vocabulary.absent(present, "adversarial", 1, draw)
        vocabulary.learn(present)
        if not named or not missing:
            return _beside(record, None)
        region = draw.choice(named)
        where = notation.write(region.bounds())
        ask = f"Is the object at {where} {an(missing[0])}?"
        turns = pairs_to_turns([(ask, f"No, the object at {where} is {an(region.label or '')}.")])
        return _beside(record, replace(record, id=f"{record.id}/place", task="absent category", turns=turns))

    return each(make)


def wrong_attributes(attributes: Sequence[str], seed: int = 0) -> Operator:
    """Ask about an object with an attribute it does not have; the answer corrects it. Attributes are words of its name."""

    def make(record: Record) -> list[Record]:
        draw = random.Random(f"{seed}:attribute:{record.id}")
        labels = [region.label for region in record.facts.objects if region.label]
        made = []
        for label in dict.fromkeys(labels):
            own = [word for word in label.split() if word in attributes]
            if not own:
                continue
            # An attribute is wrong only if no other object of the name has it: "the red car" beside a blue one may well be
            # there.
            others = [word for word in attributes if label.replace(own[0], word) not in labels]
            wrong = label.replace(own[0], draw.choice(others)) if others else None
            if wrong:
                made.append((f"Where is the {wrong}?", f"There is no {wrong} in the picture; there is {an(label)}."))
        if not made:
            return _beside(record, None)
        turns = pairs_to_turns([draw.choice(made)])
        return _beside(record, replace(record, id=f"{record.id}/attribute", task="attribute", turns=turns))

    return each(make)


def an(name: str) -> str:
    """The name with its article, by its first letter: `a dog`, `an apple`."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _beside(record: Record, negative: Record | None) -> list[Record]:
    """The negative after a record that has a conversation of its own; alone for one that has none."""
    kept = [record] if record.turns else []
    return [*kept, negative] if negative else kept or [record.rejected("no negative possible")]


def mismatched(question: str, yes: str, no: str, window: int = 64, seed: int = 0) -> Operator:
    """Ask whether a text belongs to the medium, half the time with another record's text (`{text}` in the question)."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        others: deque[str] = deque(maxlen=window)
        for record in records:
            if record.reject or not record.facts.captions:
                yield record
                continue
            draw = random.Random(f"{seed}:mismatch:{record.id}")
            own = record.facts.captions[0]
            foreign = [text for text in others if text != own]
            wrong = bool(foreign) and draw.random() < 0.5
            text = draw.choice(foreign) if wrong else own
            pairs = [(question.format(text=text), no if wrong else yes)]
            others.append(own)
            yield from _beside(record, replace(record, id=f"{record.id}/match", task="matching", turns=pairs_to_turns(pairs)))

    return run
