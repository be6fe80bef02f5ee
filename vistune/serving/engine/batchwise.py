"""Questions answered batch by batch through `generate`, each row with its own sampling, stops and stream.

For what cannot join a running batch: models of `transformers` taken whole, encoder-decoders, fusions that keep a context for a
whole run, and models whose heads make things while an answer is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from vistune.errors import InputError
from vistune.model.native.batch import collate
from vistune.model.native.model import NativeModel
from vistune.model.packing import pack
from vistune.model.vlm import VisionLanguageModel
from vistune.serving.engine.choosing import choose_all
from vistune.serving.engine.rows import Order, Row
from vistune.serving.engine.served import Served


class Batchwise:
    """One batch at a time: what arrives meanwhile waits for the next."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.rows: list[Row] = []

    def admit(self, orders: Sequence[Order]) -> None:
        """Take orders for the next batch."""
        for order in orders:
            self.rows += [
                Row(order, copy, self.served.decode, self.served.terms.ends, self.served.terms.stops)
                for copy in range(order.ask.copies)
            ]

    @torch.no_grad()
    def advance(self) -> None:
        """Answer all of them."""
        rows = [row for row in self.rows if not row.done]
        if not rows:
            self.rows = []
            return
        model = self.served.model
        if isinstance(model, NativeModel):
            self._generate_native(model, rows)
        elif model.head_of:
            self._answer_with_heads(model, rows)
        else:
            inputs = model.inputs(pack([row.order.ready for row in rows]))
            most = max(row.order.ask.max_tokens for row in rows)
            model.llm.generate_ids(inputs, most, list(self.served.terms.stops), **_steered(rows))
        if not model_has_heads(self.served):
            for row in rows:
                if not row.order.gone:
                    # Whoever hung up meanwhile is told nothing; the row was stopped by `_Stop` already.
                    row.finish(self.served.regions)
        self.rows = []

    def abandon(self, error: InputError) -> None:
        """Fail all rows."""
        for order in {id(row.order): row.order for row in self.rows}.values():
            order.fail(error)
        self.rows = []

    def _generate_native(self, model: NativeModel, rows: list[Row]) -> None:
        pad = model.tokenizer.pad_token_id
        for group in [[row] for row in rows] if model.family.alone else [rows]:
            inputs = model.placed(collate([row.order.ready.prompt for row in group], model.family, pad, left=True))
            most = max(row.order.ask.max_tokens for row in group)
            options = {"do_sample": False, "num_beams": 1, "pad_token_id": pad, "max_new_tokens": most}
            model.native.written(inputs, **options, **_steered(group))

    def _answer_with_heads(self, model: VisionLanguageModel, rows: list[Row]) -> None:
        """One by one: a head may fill places in the middle of an answer, behind which it goes on."""
        for row in rows:
            if row.order.gone:
                continue
            ask = row.order.ask
            answer = model.answer([ask.sample], ask.max_tokens, **_steered([row]))[0]
            if not row.order.gone:
                row.finish_as(answer, self.served.regions)


def model_has_heads(served: Served) -> bool:
    """Whether answers are worded by `answer`, which knows what heads make of them."""
    return bool(served.terms.makes)


def _steered(rows: list[Row]) -> dict[str, Any]:
    return {"logits_processor": LogitsProcessorList([_Steer(rows)]), "stopping_criteria": StoppingCriteriaList([_Stop(rows)])}


class _Steer(LogitsProcessor):  # type: ignore[misc]
    """Chooses each row's token itself, and leaves `generate` nothing else to take."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """The scores with all but the chosen tokens at minus infinity."""
        # The library goes on calling for finished rows until the longest is done; their choosers must not draw any more.
        left = [place for place, row in enumerate(self._rows) if not row.done]
        only = torch.full_like(scores, -torch.inf)
        only[:, next(iter(self._rows[0].ends))] = 0.0  # for rows that are done
        choices = choose_all(scores[left], [self._rows[place].chooser for place in left]) if left else []
        for place, choice in zip(left, choices, strict=True):
            if isinstance(choice, InputError):
                self._rows[place].order.fail(choice)
                continue
            only[place] = -torch.inf
            only[place, choice[0]] = 0.0
            self._rows[place].write(*choice)
        return only


class _Stop(StoppingCriteria):  # type: ignore[misc]
    """Ends each row on its own."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """`[B]`, True where nothing more is to be written."""
        return torch.tensor([row.done for row in self._rows], device=input_ids.device)
