"""`Account`: what a completer has been asked, what it cost, and what was saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(slots=True)
class Account:
    """Counts since the completer was opened. `usd` is 0 where no price is known; `retries` counts by cause."""

    asked: int = 0
    cached: int = 0
    answered: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    retries: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "asked": self.asked,
            "cached": self.cached,
            "answered": self.answered,
            "failed": self.failed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "usd": round(self.usd, 6),
            "retries": dict(sorted(self.retries.items())),
        }


@runtime_checkable
class Accounted(Protocol):
    """A completer that keeps an account."""

    account: Account
