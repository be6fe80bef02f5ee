"""`Account`: what a completer has been asked, what it cost, and what was saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the kept replies of earlier runs cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0


@dataclass(slots=True)
class Account:
    """Counts since the completer was opened. `usd` is 0 where no price is known; `retries` counts by cause.

    `earlier` is None for a completer that keeps no replies.
    """

    asked: int = 0
    cached: int = 0
    answered: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    retries: Counter[str] = field(default_factory=Counter)
    earlier: Earlier | None = None

    def all_runs(self) -> Earlier:
        """This run and what earlier ones left."""
        before = self.earlier or Earlier()
        return Earlier(
            before.prompt_tokens + self.prompt_tokens,
            before.completion_tokens + self.completion_tokens,
            before.usd + self.usd,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `all_runs` where replies are kept."""
        every = self.all_runs()
        together = {**asdict(every), "usd": round(every.usd, 6)}
        return {
            "asked": self.asked,
            "cached": self.cached,
            "answered": self.answered,
            "failed": self.failed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "usd": round(self.usd, 6),
            "retries": dict(sorted(self.retries.items())),
        } | ({} if self.earlier is None else {"all_runs": together})


@runtime_checkable
class Accounted(Protocol):
    """A completer that keeps an account."""

    account: Account
