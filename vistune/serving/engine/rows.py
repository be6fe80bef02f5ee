"""An order in hand: a question that was made ready, and its answers as rows that are written token by token."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from vistune.errors import InputError
from vistune.model.answering.answers import Answer
from vistune.model.answering.ranking import Ranking
from vistune.model.answering.wording import Decode, Wording
from vistune.sample import Media, Region, Sample
from vistune.serving.engine.asking import Ask, Ended, Failed, Hear, Likelihood, Said
from vistune.serving.engine.choosing import Chooser, Grammar, Told

Regions: TypeAlias = Callable[[Sample, str], Sequence[tuple[int, int, Region]]]


@dataclass
class Order:
    """`ready` is the prompt as the model reads it, `length` its tokens, media's among them; `known` were not read again.

    `hear` is told what comes of it, from the engine's thread. Whoever gives up sets `gone`.
    """

    ask: Ask
    ready: Any
    length: int
    hear: Hear
    grammars: Sequence[Grammar | None] = ()
    options: tuple[str, ...] = ()
    ranking: Ranking = "sum"
    known: int = 0
    gone: bool = False
    arrived: float = field(default_factory=time.monotonic)
    first: float | None = None

    @property
    def tokens(self) -> int:
        """What it may come to take."""
        return self.ask.copies * (self.length + self.ask.max_tokens)

    def fail(self, error: InputError) -> None:
        """No answer."""
        self.gone = True
        self.hear(Failed(error))


class Row:
    """Answer number `copy` to an order. `ends` are tokens that end it and are not said."""

    def __init__(self, order: Order, copy: int, decode: Decode, ends: frozenset[int], stops: Sequence[str]) -> None:
        ask = order.ask
        self.order, self.copy, self.ends = order, copy, ends
        self.chooser = Chooser(ask.sampling, copy, order.grammars[copy] if order.grammars else None)
        self.told = ask.sampling.logprobs is not None
        # Log-probabilities are told beside the text of their tokens, so with them the text must be followed as it grows.
        self.wording = Wording(decode, [*stops, *ask.stop], ask.streamed or self.told)
        self.reason: str | None = None
        self.count = 0
        self._decode = decode
        self._waiting: list[tuple[int, int, Likelihood]] = []

    @property
    def done(self) -> bool:
        """Whether nothing more is to be written."""
        return self.reason is not None or self.order.gone

    def write(self, token: int, told: Told | None) -> None:
        """A chosen token."""
        # The time to the first token, for the metrics: of the order, not of each of its copies.
        if self.order.first is None:
            self.order.first = time.monotonic()
        self.count += 1
        if token in self.ends:
            self.reason = "stop"
            return
        before = self.wording.reach
        text = self.wording.write(token)
        if told is not None:
            tops = tuple((self._decode([other]), value) for other, value in told[1])
            self._waiting.append((before, self.wording.reach, Likelihood("", told[0], tops)))
        # The grammar may be complete before the model ends by itself: nothing that it could still say would be allowed.
        if self.wording.stopped or (self.chooser.grammar is not None and self.chooser.grammar.complete):
            self.reason = "stop"
        elif self.count >= self.order.ask.max_tokens:
            self.reason = "length"
        if self.order.ask.streamed:
            self._hear(text)

    def finish(self, regions: Regions) -> None:
        """Nothing more comes: tell the rest, and the whole with the `regions` in it."""
        whole, rest = self.wording.finish()
        found = regions(self.order.ask.sample, whole)
        self._end(whole, rest, [region for _, _, region in found], (), found)

    def finish_as(self, answer: Answer, regions: Regions) -> None:
        """Nothing more comes, and `answer` says what was made of it."""
        whole, rest = self.wording.finish()
        said = whole[: len(whole) - len(rest)]
        written = regions(self.order.ask.sample, answer.text)
        self._end(answer.text, answer.text.removeprefix(said), answer.regions, answer.media, written)

    def _end(
        self,
        whole: str,
        rest: str,
        regions: Sequence[Region],
        media: Sequence[Media],
        written: Sequence[tuple[int, int, Region]],
    ) -> None:
        said = [
            Likelihood(whole[start:end], each.logprob, each.top)
            for start, end, each in self._waiting
            if start < len(whole) or start == end
        ]
        if rest or said:
            self.order.hear(Said(self.copy, rest, tuple(said)))
        spans = tuple((start, end) for start, end, _ in written)
        reason = self.reason or "stop"
        self.order.hear(Ended(self.copy, whole, reason, self.count, tuple(regions), tuple(media), spans))

    def _hear(self, text: str) -> None:
        # A token's text may be held back (a stop that has begun, half a character); its probability waits with it.
        clear = [each for each in self._waiting if each[1] <= len(self.wording.said)]
        self._waiting = self._waiting[len(clear) :]
        said = tuple(Likelihood(self.wording.said[start:end], each.logprob, each.top) for start, end, each in clear)
        if text or said:
            self.order.hear(Said(self.copy, text, said))
