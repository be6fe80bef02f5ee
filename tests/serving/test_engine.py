"""The engine changes nothing: answers are `generate`'s, whoever joins, and a seed's, whoever stands beside it."""

from __future__ import annotations

import queue
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vistune.errors import InputError
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn
from vistune.serving.engine.asking import Ask, Ended, Event, Failed, Said, Sampling
from vistune.serving.engine.engine import Engine, Limits
from vistune.serving.engine.rows import Order
from vistune.serving.engine.served import Served
from vistune.serving.engine.stepwise import Stepwise
from vistune.serving.refusals import Refusal

RESAMPLER = {"kind": "position_aware_resampler", "queries": 9, "heads": 4}
FUSIONS: dict[str, dict[str, Any]] = {
    "splice": {},
    "gated_cross_attention": {"every": 2, "heads": 2, "head_width": 8},
    "zero_init_attention": {"length": 9, "layers": 1, "tune": "scale_and_bias"},
    "visual_experts": {},
    "partial_lora": {"rank": 4},
    "routed_adapters": {"hidden": 4},
}
JOINS = {"splice", "visual_experts", "partial_lora"}
WORDS = ("What is in the picture?", "Where is the blue seven?", "yes", "Two cats on a mat. A red bus. no one two")


def picture(seed: int) -> Media:
    return Media("image", data=np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def question(number: int, shown: bool = True) -> Sample:
    parts: tuple[Any, ...] = (Text(f"\n{WORDS[number % len(WORDS)]} {number}"),)
    media = (picture(number % 3),) if shown else ()
    return Sample(f"q{number}", media, (Turn("user", (MediaRef(0), *parts) if shown else parts),))


class Heard:
    """Orders submitted to an engine, and what comes of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.events = engine, queue.Queue[tuple[int, Event]]()
        self.ended: dict[int, dict[int, Ended]] = {}
        self.said: dict[tuple[int, int], str] = {}
        self.failed: dict[int, InputError] = {}
        self.orders: list[Order] = []

    def ask(self, ask: Ask) -> int:
        number = len(self.orders)
        ready, length = self.engine.served.ready(ask.sample)
        self.orders.append(Order(ask, ready, length, lambda event: self.events.put((number, event))))
        self.engine.submit(self.orders[-1])
        return number

    def wait(self) -> None:
        """Until every order has ended or failed, or was given up."""
        while any(not self.done(number) for number in range(len(self.orders))):
            number, event = self.events.get(timeout=60)
            if isinstance(event, Said):
                self.said[number, event.copy] = self.said.get((number, event.copy), "") + event.text
            elif isinstance(event, Ended):
                self.ended.setdefault(number, {})[event.copy] = event
            elif isinstance(event, Failed):
                self.failed[number] = event.error

    def done(self, number: int) -> bool:
        order = self.orders[number]
        return order.gone or number in self.failed or len(self.ended.get(number, {})) == order.ask.copies

    def texts(self) -> list[str]:
        return [self.ended[number][0].text for number in range(len(self.orders))]


def started(model: Any, limits: Limits | None = None) -> Engine:
    limits = limits or Limits(rows=8)
    return Engine(Served("m", model, limits.media_bytes), limits)


LONG = {"gated_cross_attention", "routed_adapters", "partial_lora"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in LONG else kind for kind in sorted(FUSIONS)]
)
def test_answers_are_those_of_generate(kind: str, tiny_spec: dict[str, Any]) -> None:
    torch.manual_seed(0)
    connector = tiny_spec["connector"] if kind == "splice" else RESAMPLER
    model = VisionLanguageModel(
        ModelSpec.from_json(tiny_spec | {"connector": connector, "fusion": {"kind": kind, **FUSIONS[kind]}})
    )
    model.eval()
    for parameter in model.fusion.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    samples = [question(number, number % 4 != 3) for number in range(10)]
    expected = model.generate(samples, 14, batch_size=1, reuse=False)
    engine = started(model)
    try:
        assert isinstance(engine.method, Stepwise) == (kind in JOINS)
        for _ in range(2):  # the second time media and beginnings are known
            heard = Heard(engine)
            for sample in samples:
                heard.ask(Ask(sample, 14, streamed=True))
            heard.wait()
            assert heard.texts() == expected
            assert [heard.said.get((number, 0), "") for number in range(10)] == expected, "what is streamed, joined"
        if kind == "splice":
            assert isinstance(engine.method, Stepwise) and engine.method.beginnings.reused > 0
            assert engine.served.caches[0].made.found > 0
    finally:
        engine.close()


def drawn(engine: Engine, seeds: list[int], beside: int) -> list[str]:
    """Answers drawn with seeds, `beside` at a time among 15 others; alone without."""
    heard = Heard(engine)
    answers = []
    for seed in seeds:
        number = heard.ask(Ask(question(seed, seed % 2 == 0), 10, sampling=Sampling(1.0, 0.95, seed)))
        for other in range(beside):
            heard.ask(Ask(question(seed + other + 1, other % 3 > 0), 4 + other % 9, sampling=Sampling(1.3, seed=other)))
        heard.wait()
        answers.append(heard.ended[number][0].text)
    return answers


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_a_seed_gives_the_same_tokens_alone_and_among_others(count: int, tiny_model: VisionLanguageModel) -> None:
    engine = started(tiny_model, Limits(rows=16))
    try:
        alone = drawn(engine, list(range(count)), 0)
        assert drawn(engine, list(range(count)), 15) == alone
        assert len(set(alone)) > count // 2
    finally:
        engine.close()


def test_who_gives_up_frees_the_place_and_who_is_too_many_is_refused(tiny_model: VisionLanguageModel) -> None:
    engine = started(tiny_model, Limits(rows=2, queue=2))
    try:
        heard = Heard(engine)
        for number in range(4):
            heard.ask(Ask(question(number), 2000))
            while number < 2 and engine.active <= number:
                pass
        with pytest.raises(Refusal, match="queue is full") as refused:
            heard.ask(Ask(question(9), 5))
        assert refused.value.status == 429 and refused.value.headers == {"Retry-After": "1"}
        heard.orders.pop()
        for order in heard.orders:
            order.gone = True
        answered = heard.ask(Ask(question(1), 3))
        heard.wait()
        assert answered in heard.ended
    finally:
        engine.close()


def test_what_is_kept_stays_within_its_bounds(tiny_model: VisionLanguageModel) -> None:
    engine = started(tiny_model, Limits(rows=8, media_bytes=60_000, prefix_bytes=60_000))
    try:
        assert isinstance(engine.method, Stepwise)
        for start in range(0, 60, 20):
            heard = Heard(engine)
            for number in range(start, start + 20):
                parts = (MediaRef(0), Text("\nyes"))
                heard.ask(Ask(Sample("s", (picture(100 + number),), (Turn("user", parts),)), 2))
            heard.wait()
            assert len(heard.ended) == 20
            cache = engine.served.caches[0]
            assert 0 < engine.method.beginnings.kept.bytes <= 60_000 and 0 < cache.bytes <= 60_000
        assert engine.active == 0 and engine.method.running.bytes == 0
    finally:
        engine.close()


def test_an_order_that_fails_leaves_its_neighbours_alone(tiny_model: VisionLanguageModel) -> None:
    engine = started(tiny_model)
    try:
        expected = tiny_model.generate([question(0), question(1)], 12)
        heard = Heard(engine)
        heard.ask(Ask(question(0), 12))
        broken = Order(Ask(question(2), 5), object(), 5, lambda event: heard.events.put((1, event)))
        heard.orders.append(broken)
        engine.submit(broken)
        heard.ask(Ask(question(1), 12))
        heard.wait()
        assert [heard.ended[0][0].text, heard.ended[2][0].text] == expected
        assert "see its log" in str(heard.failed[1])
    finally:
        engine.close()


def test_a_region_is_read_as_generate_reads_it(tiny_model: VisionLanguageModel) -> None:
    parts = (MediaRef(0), Text("\nWhat is in "), Region(box=(0.25, 0.25, 0.75, 0.75)), Text("?"))
    sample = Sample("r", (picture(0),), (Turn("user", parts),))
    engine = started(tiny_model)
    try:
        heard = Heard(engine)
        heard.ask(Ask(sample, 12))
        heard.wait()
        assert heard.texts() == tiny_model.generate([sample], 12)
        ended = heard.ended[0][0]
        assert list(ended.regions) == tiny_model.codec.decode(ended.text)
    finally:
        engine.close()


def test_a_head_makes_what_answer_makes() -> None:
    torch.manual_seed(0)
    model = VisionLanguageModel(
        ModelSpec(
            vision={"kind": "huggingface", "path": "builtin:clip", "layer": -2},
            connector="linear",
            llm="builtin:language",
            template={"kind": "vicuna_v1", "system": ""},
            codec={"kind": "location_tokens", "bins": 64},
            heads={"made": {"kind": "set_queries", "queries": 6, "bins": 16}},
            max_length=2048,
        )
    ).eval()
    expected = model.answer([question(0)], 16)[0]
    engine = started(model)
    try:
        heard = Heard(engine)
        heard.ask(Ask(question(0), 16, streamed=True))
        heard.wait()
        ended = heard.ended[0][0]
        assert ended.text == expected.text and ended.regions == expected.regions
        assert heard.said.get((0, 0), "") == expected.text
    finally:
        engine.close()


@pytest.mark.parametrize(
    "name", ["llava", pytest.param("qwen2_vl", marks=pytest.mark.slow), pytest.param("blip2_t5", marks=pytest.mark.slow)]
)
def test_a_whole_model_of_transformers_answers_as_it_does_alone(name: str, tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "native"))
    from native_families import build

    torch.manual_seed(0)
    model = NativeModel(NativeSpec(native=str(build(name, tmp_path / name)), codec="decimals")).eval()
    samples = [question(number) for number in range(4)]
    expected = [model.generate([sample], 10)[0] for sample in samples]
    engine = started(model)
    try:
        heard = Heard(engine)
        for sample in samples:
            heard.ask(Ask(sample, 10, streamed=True))
        heard.ask(Ask(samples[0], 10, copies=2, sampling=Sampling(1.0, seed=3)))
        heard.ask(Ask(samples[0], 10, sampling=Sampling(1.0, seed=4)))
        heard.wait()
        assert heard.texts()[:4] == expected
        assert [heard.said.get((number, 0), "") for number in range(4)] == expected
        assert heard.ended[4][1].text == heard.ended[5][0].text, "copy i is drawn with seed + i"
    finally:
        engine.close()
