"""Choosing the next token of each row of a batch: greedy, or drawn with the row's own seed.

What a row draws is a function of its logits and of how many tokens it has drawn, so its neighbours change nothing. The order
of what is done to logits is that of `transformers`: penalties, what a schema allows, temperature, top-p.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.model.language.finite import NOT_FINITE
from vistune.serving.engine.asking import Sampling

Told: TypeAlias = tuple[float, tuple[tuple[int, float], ...]]
"""A chosen token's log-probability, and the likeliest tokens with theirs."""
Choice: TypeAlias = tuple[int, Told | None]


class Grammar(Protocol):
    """What may stand next in an answer that keeps to a schema."""

    def allow(self, logits: Tensor) -> Tensor:
        """Logits `[V]`, minus infinity where a token may not stand."""
        ...

    def take(self, token: int) -> None:
        """A token was written."""
        ...

    @property
    def complete(self) -> bool:
        """Whether nothing may follow."""
        ...


class Chooser:
    """The choices of one row. `copy` is its number among the answers to one question."""

    def __init__(self, sampling: Sampling, copy: int = 0, grammar: Grammar | None = None) -> None:
        self.sampling, self.grammar = sampling, grammar
        # A generator for each row: what is drawn must not depend on who else is being answered at the moment.
        self._random = torch.Generator().manual_seed((sampling.seed + copy) % (1 << 63))
        self._written: Counter[int] = Counter()

    def choose(self, logits: Tensor) -> Choice:
        """A token for logits `[V]`; with `logprobs`, its log-probability and the likeliest tokens with theirs.

        Probabilities are the model's own, before temperature. Raises `InputError` where logits are not finite.
        """
        # Minus infinity is allowed: models mask tokens with it.
        if bool(torch.isnan(logits).any()) or bool((logits == torch.inf).any()):
            raise InputError(NOT_FINITE)
        sampling, scores = self.sampling, logits.float()
        if sampling.frequency_penalty or sampling.presence_penalty:
            scores = self._penalised(scores)
        if self.grammar is not None:
            scores = self.grammar.allow(scores)
        token = int(scores.argmax()) if sampling.temperature == 0 else self._drawn(scores)
        self._written[token] += 1
        if self.grammar is not None:
            self.grammar.take(token)
        return token, self._told(logits, token)

    def _penalised(self, scores: Tensor) -> Tensor:
        if not self._written:
            return scores
        tokens = torch.tensor(list(self._written), device=scores.device)
        counts = torch.tensor(list(self._written.values()), dtype=scores.dtype, device=scores.device)
        taken = self.sampling.frequency_penalty * counts + self.sampling.presence_penalty
        return scores.index_put((tokens,), scores[tokens] - taken)

    def _drawn(self, scores: Tensor) -> int:
        """By the inverse of the cumulated probabilities in the vocabulary's order, in double precision on the CPU."""
        # In double precision and in one order of summing, so that a seed gives the same answer alone and in a batch.
        likely = (scores.double().cpu() / self.sampling.temperature).softmax(dim=-1)
        if self.sampling.top_p < 1:
            ordered, order = likely.sort(descending=True, stable=True)
            beyond = ordered.cumsum(0) - ordered >= self.sampling.top_p  # the likeliest always stays
            likely[order[beyond]] = 0
        sums = likely.cumsum(0)
        place = torch.rand((), generator=self._random, dtype=torch.float64) * sums[-1]
        token = int(torch.searchsorted(sums, place, right=True))
        # Rounding can put the draw at the very end of the sums, behind the last token with any probability.
        return min(token, int(likely.nonzero()[-1]))

    def _told(self, logits: Tensor, token: int) -> Told | None:
        if self.sampling.logprobs is None:
            return None
        likely = logits.double().log_softmax(dim=-1)
        top = likely.topk(self.sampling.logprobs) if self.sampling.logprobs else None
        pairs = () if top is None else tuple(zip(top.indices.tolist(), top.values.tolist(), strict=True))
        return float(likely[token]), pairs


def choose_all(logits: Tensor, rows: Sequence[Chooser]) -> list[Choice | InputError]:
    """A token for each row of logits `[B, V]`, or why it has none. Rows that want just the likeliest are looked up together."""
    # One `argmax` over the batch and one transfer: row by row each would wait for the device.
    if all(row.sampling.plain for row in rows) and bool(torch.isfinite(logits).all()):
        return [(token, None) for token in logits.argmax(dim=-1).tolist()]
    return [_tried(row, scores) for row, scores in zip(rows, logits, strict=True)]


def _tried(row: Chooser, scores: Tensor) -> Choice | InputError:
    try:
        return row.choose(scores)
    except InputError as error:
        return error
