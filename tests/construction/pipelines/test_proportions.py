"""Published proportions are those of the samples that come out."""

from __future__ import annotations

from collections import Counter

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts
from vistune.construction.pipelines import mosit, pvit, valley
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media, Region, Text, Turn

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


def test_valley_writes_37_conversations_to_10_descriptions_to_26_reasons():
    records = [Record(str(n), (), Facts(captions=("A boy kicks a ball.",))) for n in range(3000)]
    first = valley.steps(kit(scripted({})))[0]
    tasks = Counter(record.task for record in first(records))
    for task, published in {"conversation": 37, "detail": 10, "reasoning": 26}.items():
        assert abs(tasks[task] / 3000 - published / 73) < 0.03


def test_mosit_keeps_dialogues_of_three_to_seven_exchanges():
    def dialogue(count: int) -> Record:
        turn = (Turn("user", (Text("And then?"),)), Turn("assistant", (Text("<Image>a lake</Image>"),)))
        return Record(str(count), (), Facts(labels=("lakes",)), turns=turn * count)

    checks = mosit.steps(kit(scripted({})))[2]
    kept = {record.id for record in checks([dialogue(count) for count in range(1, 10)]) if not record.reject}
    assert kept == {"3", "4", "5", "6", "7"}
