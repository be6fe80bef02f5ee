"""Choosing captions so that rare concepts stay and common ones do not crowd them out (LLaVA's pretraining sets)."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from vistune.construction.record import Operator, Record

_FUNCTION = frozenset(
    re.findall(
        "[a-z]+",
        """
        a an the this that these those his her its their my your our some any each every one two three and or but nor so yet of
        in on at by to from with without for into onto over under above below near beside behind between through during after
        before is are was were be been being has have had do does did will would can could may might must shall should as than
        then there it he she they we you i who which what where when how while not no very more most such other another up down
        out off
        """,
    )
)


def phrases(text: str) -> list[str]:
    """The noun phrases of a caption, roughly: what stands between words of a closed class, at most its last three words."""
    found = []
    run: list[str] = []
    for word in [*re.findall(r"[^\W_]+(?:['-][^\W_]+)*|[.,;:!?]", text.lower()), "."]:
        if word in _FUNCTION or not word[0].isalnum():
            if run:
                found.append(" ".join(run[-3:]))
            run = []
        else:
            run.append(word)
    return list(dict.fromkeys(found))


def balanced(least: int = 3, most: int = 100, seed: int = 0, concepts: Callable[[str], Sequence[str]] = phrases) -> Operator:
    """Keep records so that every concept is seen, and none too often (Liu et al., Visual Instruction Tuning, appendix).

    Concepts of fewer than `least` captions do not count. From the rarest concept on, the records of each are taken, or `most`
    of them by chance where there are more; a record is taken once. All records are held, because a concept is rare or common
    in all of them only. A record that no concept takes is rejected.

    concepts:  gives a caption's concepts (the paper: noun phrases of spaCy)
    """

    def run(records: Iterable[Record]) -> Iterator[Record]:
        held = list(records)
        named = [[] if record.reject else list(concepts(" ".join(record.facts.captions[:1]))) for record in held]
        counts = Counter(concept for own in named for concept in own)
        holders: dict[str, list[int]] = {}
        for number, own in enumerate(named):
            for concept in own:
                holders.setdefault(concept, []).append(number)
        draw = random.Random(seed)
        taken: set[int] = set()
        for concept in sorted(
            (name for name, count in counts.items() if count >= least), key=lambda name: (counts[name], name)
        ):
            found = holders[concept]
            taken.update(found if len(found) <= most else draw.sample(found, most))
        for number, record in enumerate(held):
            yield record if record.reject or number in taken else record.rejected("no concept needs it")

    return run
