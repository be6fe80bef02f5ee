"""Published proportions are those of the samples that come out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts
from vistune.construction.pipelines import mosit, pvit, valley
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media, Region, Text, Turn

OBJECTS = tuple(Region(box=(0.1 * n, 0.2, 0.1 * n + 0.08, 0.4), label=f"thing {n}") for n in range(1, 7))


def test_pvit_parts_have_their_published_amounts():
    facts = Facts(captions=("A market stall.",), objects=OBJECTS, qa=(("What is thing 1?", "A pear."),))
    assign = pvit.steps(kit(scripted({})))[0]
    tasks = Counter(record.task for record in assign([Record(str(n), (), facts) for n in range(3000)]))
    parts = {"converted": tasks["converted"], "general": tasks["general"]}
    parts["specific"] = tasks.total() - sum(parts.values())
    for part, amount in pvit.AMOUNTS.items():
        assert abs(parts[part] / 3000 - amount / 254) < 0.03
    assert min(tasks[name] for name in (*pvit.SEEDS, "several")) > 120  # equal shares of 86 of 254 among six: 169
    without = assign([Record(str(n), (), Facts(captions=facts.captions, objects=OBJECTS)) for n in range(300)])
    assert "converted" not in {record.task for record in without}


def test_pvit_puts_the_region_behind_the_one_thing_that_a_question_names():
    qa = (("What is thing 2 for?", "Fruit."), ("Is Thing 1 left of thing 3?", "Yes."), ("Who sells?", "A man."))
    facts = Facts(captions=("A stall.",), objects=OBJECTS, qa=qa)
    records = [Record("1", (Media.file("image", "1.png"),), facts, task="converted")]
    made = list(finished(replace(pvit.PIPELINE, steps=lambda k: pvit.steps(k)[1:]), records, kit(scripted({}))))
    (only,) = made
    assert [part.bounds() if isinstance(part, Region) else part.text for part in only.turns[0].parts] == [
        "What is thing 2 ",
        OBJECTS[1].bounds(),
        " for?",
    ]
    assert only.turns[1].text == "Fruit."


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

    checks = mosit.steps(kit(scripted({})))[3]
    kept = {record.id for record in checks([dialogue(count) for count in range(1, 10)]) if not record.reject}
    assert kept == {"3", "4", "5", "6", "7"}
