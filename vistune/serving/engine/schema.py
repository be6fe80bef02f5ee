"""`response_format`: answers that keep to a JSON schema, token by token, through the library `llguidance`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vistune.errors import InputError, MissingExtraError
from vistune.serving.engine.asking import Ask
from vistune.serving.engine.choosing import Grammar
from vistune.serving.engine.served import Served
from vistune.serving.protocol.fields import shown

MAX_SCHEMA = 64 << 10  # characters of JSON


def grammars(served: Served, ask: Ask) -> tuple[Grammar, ...]:
    """A grammar for each answer; none without a schema. Raises `InputError` for a schema that cannot be kept to."""
    if ask.sampling.schema is None:
        return ()
    try:
        import llguidance
    except ImportError as error:
        raise MissingExtraError("llguidance", "json", "response_format") from error
    # Bounded: a schema is compiled into an automaton on this server, and a stranger chooses its size.
    written = json.dumps(ask.sampling.schema)
    if len(written) > MAX_SCHEMA:
        raise InputError(f"the JSON schema is {len(written)} characters long, at most {MAX_SCHEMA} are read")
    try:
        grammar = llguidance.LLMatcher.grammar_from_json_schema(written, defaults={"whitespace_flexible": False})
    except ValueError as error:
        raise InputError(f"the JSON schema cannot be kept to: {shown(str(error))}") from error
    return tuple(_Matched(served, grammar) for _ in range(ask.copies))


class _Matched:
    """Keeps to `Grammar`."""

    def __init__(self, served: Served, grammar: str) -> None:
        import llguidance

        self._matcher: Any = llguidance.LLMatcher(_tokens(served), grammar, log_level=0)
        if self._matcher.is_error():
            raise InputError(f"the JSON schema cannot be kept to: {' '.join(str(self._matcher.get_error()).split())[:200]}")

    def allow(self, logits: Tensor) -> Tensor:
        """Minus infinity where a token may not stand."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        # One bit a token; models with padded vocabularies have more logits than there are tokens, and those are never
        # allowed.
        bits = np.unpackbits(packed, bitorder="little")[: len(logits)].astype(bool)
        allowed = torch.zeros(len(logits), dtype=torch.bool)
        allowed[: len(bits)] = torch.from_numpy(bits)
        return logits.masked_fill(~allowed.to(logits.device), -torch.inf)

    def take(self, token: int) -> None:
        """A token was written."""
        self._matcher.consume_token(token)

    @property
    def complete(self) -> bool:
        """Whether nothing may follow."""
        return bool(self._matcher.is_stopped())


@lru_cache(maxsize=8)
def _tokens(served: Served) -> Any:
    from llguidance.hf import from_tokenizer

    return from_tokenizer(served.terms.tokenizer, n_vocab=max(served.terms.vocabulary, len(served.terms.tokenizer)))
