"""Rows of one running batch: a question joins at the next token, whoever is done leaves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from torch import Tensor

from vistune.errors import InputError
from vistune.model.answering.prefixes import tokens
from vistune.model.answering.running import Joining, Pairs, Running, joins, steps
from vistune.model.language.inputs import Inputs
from vistune.model.packing import Example, pack
from vistune.model.vlm import VisionLanguageModel
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
        fusion = model.fusion
        return not (fusion.repeats or fusion.looks)

    def admit(self, orders: Sequence[Order]) -> None:
        """Read the prompts of orders and choose the first token of their answers."""
        waiting = [(order, self._inputs(order.ready)) for order in orders]
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
        self.rows, self.running = [], Running(self.model.llm)

    def _inputs(self, example: Example) -> Inputs:
        inputs = self.model.inputs(pack([example]))
        if not joins(inputs):
            raise InputError("this model's fusion brings a context along: it is answered batch by batch")
        return inputs

    def _leaders(self, waiting: list[tuple[Order, Inputs]]) -> tuple[list[tuple[Order, Inputs]], list[tuple[Order, Inputs]]]:
        """Of questions alike up to their first medium that arrive together, one is read before the others, which then go on."""
        first: list[tuple[Order, Inputs]] = []
        later: list[tuple[Order, Inputs]] = []
        seen: set[Hashable] = set()
        for order, inputs in waiting:
            name = group(order.ready)
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
        # Prompts that are known and those that are not differ much in what is left to read: each kind is padded for itself.
        for known in (True, False):
            places = [place for place, each in enumerate(joining) if (each.beginning is not None) == known]
            if places:
                self._read([chosen[place] for place in places], [joining[place] for place in places])

    def _read(self, chosen: list[tuple[Order, Inputs]], joining: list[Joining]) -> None:
        logits, pairs = self.running.join(joining)
        for (order, inputs), pair in zip(chosen, pairs, strict=True):
            self._keep(order.ready, inputs, pair)
        rows = [
            Row(order, copy, self.served.decode, self.served.ends, self.served.stops)
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


def group(example: Example) -> Hashable:
    """What prompts that may begin alike have in common: the tokens up to their first medium."""
    slots = [slot for places in example.rendered.slots.values() for slot in places]
    first = min(slots, key=lambda slot: slot.start, default=None)
    return () if first is None else tuple(tokens(example)[: first.start + first.length])
