"""How far operators read ahead: records that pass are not kept, whatever the condition, and keep their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.construction.pipelines.models import kit, scripted
from vistune.completer import Reply, Request
from vistune.construction.completers.scripted import Scripted
from vistune.construction.facts import Facts
from vistune.construction.operators.generate import generate, persistent
from vistune.construction.operators.source import round_robin
from vistune.construction.pipeline import load
from vistune.construction.pipelines import llava_instruct
from vistune.construction.record import Operator, Record, chain, each, of_task, when
from vistune.sample import Media, Region

GOOD = "Question:\nWhat runs?\n===\nAnswer:\nA dog runs."
PROMPT = llava_instruct.CONVERSATION


@dataclass
class Source:
    """Records that count how many of them were taken."""

    count: int
    task: Callable[[int], str] = lambda number: ""
    reject: Callable[[int], str] = lambda number: ""
    taken: int = field(default=0)

    def __iter__(self) -> Iterator[Record]:
        for number in range(self.count):
            self.taken += 1
            media = (Media.file("image", f"{number}.png"),)
            yield Record(str(number), media, _known(number), self.task(number), reject=self.reject(number))


def _known(number: int) -> Facts:
    return Facts(captions=(f"scene {number}",), qa=(("Who?", "A dog"),), ocr=(Region(box=(0, 0, 1, 1), label="TIDES"),))


@dataclass
class Ahead:
    """Answers in order like an endpoint: it reads `width` requests before it gives the first reply."""

    width: int

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        waiting: deque[Reply] = deque()
        for _ in requests:
            waiting.append(Reply(GOOD))
            if len(waiting) == self.width:
                yield waiting.popleft()
        yield from waiting


def good() -> Scripted:
    return Scripted(answer=lambda request: GOOD)


def taken_for_the_first(operator: Operator, source: Source) -> int:
    next(iter(operator(source)))
    return source.taken


def test_records_that_no_condition_meets_pass_one_by_one():
    asked = generate(good(), PROMPT)
    assert taken_for_the_first(when(lambda record: False, asked), Source(1000)) == 1
    assert taken_for_the_first(when(lambda record: False, each(lambda record: record)), Source(1000)) == 1


def test_rejected_records_pass_a_generator_one_by_one():
    assert taken_for_the_first(generate(good(), PROMPT), Source(1000, reject=lambda number: "earlier")) == 1


def test_records_behind_open_requests_are_few():
    rare = Source(9000, reject=lambda number: "" if number % 3000 == 0 else "earlier")
    made = list(generate(Ahead(64), PROMPT)(rare))
    assert [record.id for record in made] == [str(number) for number in range(9000)]
    assert [record.id for record in made if record.pairs()] == ["0", "3000", "6000"]
    assert taken_for_the_first(generate(Ahead(64), PROMPT), replace(rare, taken=0)) <= 1 + 1024


def test_a_generator_reads_no_further_than_its_completer():
    assert taken_for_the_first(generate(Ahead(64), PROMPT), Source(1000)) == 64


@pytest.mark.parametrize("name", ["gpt4tools", "m3it", "video_chatgpt", "llavar", "svit", "ophglm", "lamm", "multis"])
def test_a_pipeline_gives_its_first_record_early(name: str):
    source = Source(1000)
    next(load(name).run(source, kit(scripted({}))))
    assert source.taken <= 20


def test_domains_take_turns_within_a_window():
    assert taken_for_the_first(round_robin("topic", window=8), Source(1000)) == 8
    records = [Record(str(number), meta={"topic": "ab"[number >= 5]}) for number in range(10)]
    for window in (10, 6):
        assert [record.id for record in round_robin("topic", window)(records)] == list("0516273849")
    assert sorted(record.id for record in round_robin("topic", window=3)(records)) == list("0123456789")


def held(condition: Callable[[Record], bool], operator: Operator) -> Operator:
    """`when` as it would be if memory did not count: the two kinds apart, then together in order."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        everything = list(records)
        chosen = [not record.reject and condition(record) for record in everything]
        made = operator(record for record, taken in zip(everything, chosen, strict=True) if taken)
        yield from (next(iter(made)) if taken else record for record, taken in zip(everything, chosen, strict=True))

    return run


@pytest.mark.parametrize("inner", ["each", "generate", "persistent", "nested"])
def test_order_and_content_are_those_of_the_whole_set(inner: str):
    def operator() -> Operator:
        def fail_some(request: Request) -> str:
            return "no format" if request.id.endswith("3") else GOOD

        if inner == "each":
            return each(lambda record: record.with_note("seen", record.id))
        if inner == "generate":
            return generate(Scripted(answer=fail_some), PROMPT)
        steps = persistent(Scripted(answer=fail_some), PROMPT)
        odd = when(lambda record: int(record.id) % 2 == 1, lambda records: chain(records, steps))
        return odd if inner == "nested" else lambda records: chain(records, steps)

    def source() -> Source:
        return Source(60, lambda number: "ab"[number % 3 == 0], lambda number: "format" if number % 7 == 0 else "")

    made = list(when(of_task("a"), operator())(source()))
    assert made == list(held(of_task("a"), operator())(source()))
    assert any(record.reject == "format" for record in made), "what failed before stays failed, and is not asked again"
