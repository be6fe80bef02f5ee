"""Published proportions are those of the samples that come out."""

from __future__ import annotations

from collections import Counter

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts
from vistune.construction.pipelines import pvit
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media, Region

OBJECTS = tuple(Region(box=(0.1 * n, 0.2, 0.1 * n + 0.08, 0.4), label=f"thing {n}") for n in range(1, 7))


def test_pvit_names_86_for_every_22_that_are_written():
    ask = "Is <Region>[0.100,0.200,0.180,0.400]</Region> ripe?"
    facts = Facts(captions=("A market stall.",), objects=OBJECTS)
    records = [Record(str(n), (Media.file("image", f"{n}.png"),), facts) for n in range(400)]
    made = list(finished(pvit.PIPELINE, records, kit(scripted(dict.fromkeys(pvit.SEEDS, ask)))))
    assert not any(record.reject for record in made)
    tasks = Counter("label" if record.task == "label" else "written" for record in made)
    assert abs(tasks["label"] / tasks.total() - 86 / 108) < 0.05
    named = Counter(record.turns[1].text for record in made if record.task == "label")
    assert len(named) == len(OBJECTS) and min(named.values()) > 30  # every object has its turn
