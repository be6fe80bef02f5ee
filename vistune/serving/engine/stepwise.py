"""Rows of one running batch: a question joins at the next token, whoever is done leaves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.model.answering.prefixes import tokens
from vistune.model.answering.running import Joining, Pairs, Running, joins, steps
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import probe
from vistune.model.packing import Example, pack
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import MediaRef, Sample, Text, Turn
from vistune.serving.engine.choosing import choose_all
from vistune.serving.engine.kept import Beginnings
from vistune.serving.engine.rows import Order, Row
from vistune.serving.engine.served import Served


class Stepwise:
    """For decoders whose prompts bring nothing along that is looked at beside the row, and that no head waits for."""

    def __init__(self, served: Served, prefix_bytes: int) -> None:
        assert isinstance(served.model, VisionLanguageModel)
        self.served, self.model = served, served.model
        self.running = Running(self.model.llm)
        self.beginnings = Beginnings(prefix_bytes)
        self.rows: list[Row] = []

    @staticmethod
    def fits(served: Served) -> bool:
        """Whether a model can be served so."""
        model = served.model
        if not isinstance(model, VisionLanguageModel) or model.head_of or not steps(model.llm):
            return False
        return not (model.fusion.repeats or model.fusion.looks) and all(map(joins, _tried(model)))

    def admit(self, orders: Sequence[Order]) -> None:
        """Read the prompts of orders and choose the first token of their answers."""
        waiting = list(zip(orders, self._inputs([order.ready for order in orders]), strict=True))
        while waiting:
            first, later = self._leaders(waiting)
            self._join(first)
            waiting = later

    def advance(self) -> None:
        """A token for each row."""
        self._leave()
        if self.rows:
            self._write(self.running.step([row.wording.ids[-1] for row in self.rows]), self.rows)
            self._leave()

    def abandon(self, error: InputError) -> None:
        """Fail all rows and begin anew."""
        for order in {id(row.order): row.order for row in self.rows}.values():
            order.fail(error)
        # A fresh batch: after an error nobody knows which columns were written.
        self.rows, self.running = [], Running(self.model.llm)

    def _inputs(self, examples: Sequence[Example]) -> list[Inputs]:
        """What the language model reads of each prompt; media that arrive together are encoded together."""
        inputs = self.model.inputs(pack(examples))
        ends = list(accumulate(inputs.lengths))
        return [_cut(inputs, end - length, end) for end, length in zip(ends, inputs.lengths, strict=True)]

    def _leaders(self, waiting: list[tuple[Order, Inputs]]) -> tuple[list[tuple[Order, Inputs]], list[tuple[Order, Inputs]]]:
        """Of questions that arrive together and begin alike up to their first medium, a single question is read ahead."""
        first: list[tuple[Order, Inputs]] = []
        later: list[tuple[Order, Inputs]] = []
        seen: set[Hashable] = set()
        for order, inputs in waiting:
            name = group(order.ready)
            # The first question about a picture is read whole; the others of its group then find its keys and values.
            new = name not in seen and not self.beginnings.knows(name)
            (first if new or self.beginnings.knows(name) else later).append((order, inputs))
            seen.add(name)
        return first, later

    def _join(self, chosen: list[tuple[Order, Inputs]]) -> None:
        joining = []
        for order, inputs in chosen:
            beginning = None
            if inputs.modality is None:
                beginning = self.beginnings.find(tokens(order.ready), group(order.ready), inputs.embeds)
            order.known = 0 if beginning is None else beginning.length
            joining.append(Joining(inputs, beginning, order.ask.copies))
        # Known prompts have little left to read, new prompts all of it: each kind is padded for itself.
        for known in (True, False):
            places = [place for place, each in enumerate(joining) if (each.beginning is not None) == known]
            if places:
                self._read([chosen[place] for place in places], [joining[place] for place in places])

    def _read(self, chosen: list[tuple[Order, Inputs]], joining: list[Joining]) -> None:
        logits, pairs = self.running.join(joining)
        for (order, inputs), pair in zip(chosen, pairs, strict=True):
            self._keep(order.ready, inputs, pair)
        rows = [
            Row(order, copy, self.served.decode, self.served.terms.ends, self.served.terms.stops)
            for order, _ in chosen
            for copy in range(order.ask.copies)
        ]
        self.rows += rows
        self._write(logits, rows)
        self._leave()

    def _keep(self, example: Example, inputs: Inputs, pairs: Pairs) -> None:
        if inputs.modality is None:
            self.beginnings.keep(tokens(example), group(example), inputs.embeds, pairs)

    def _write(self, logits: Tensor, rows: Sequence[Row]) -> None:
        for row, choice in zip(rows, choose_all(logits, [row.chooser for row in rows]), strict=True):
            if isinstance(choice, InputError):  # whose logits are broken fails alone
                row.order.fail(choice)
            else:
                row.write(*choice)

    def _leave(self) -> None:
        staying = [place for place, row in enumerate(self.rows) if not row.done]
        if len(staying) == len(self.rows):
            return
        gone = [row for row in self.rows if row.done]
        self.rows = [self.rows[place] for place in staying]
        self.running.keep(staying)
        for row in gone:
            if not row.order.gone:
                row.finish(self.served.regions)


@torch.no_grad()
def _tried(model: VisionLanguageModel) -> Iterator[Inputs]:
    """What the language model reads of a small medium of each kind, and of words alone."""
    for media in ((), *((probe(kind),) for kind in model.chains)):
        shown = [MediaRef(place) for place in range(len(media))]
        sample = Sample("probe", media, (Turn("user", (*shown, Text("?"))),))
        yield model.inputs(pack([model.example(sample, model.renderer(), True)]))


def _cut(inputs: Inputs, start: int, end: int) -> Inputs:
    """One sample of a packed row."""
    modality = None if inputs.modality is None else inputs.modality[start:end]
    return Inputs(inputs.embeds[start:end], inputs.positions[start:end], (end - start,), modality)


def group(example: Example) -> Hashable:
    """What prompts that may begin alike have in common: the tokens up to their first medium."""
    slots = [slot for places in example.rendered.slots.values() for slot in places]
    first = min(slots, key=lambda slot: slot.start, default=None)
    return () if first is None else tuple(tokens(example)[: first.start + first.length])
