"""`Budget`: tokens and money that a run may spend, checked before a request is sent and not after."""

from __future__ import annotations

import asyncio

from vistune.construction.running.account import Account, Earlier
from vistune.errors import InputError

_NOTHING = Earlier()


class BudgetError(InputError):
    """The budget does not cover the next request."""


class Budget:
    """Bounds on tokens (prompt + completion) and on US dollars, kept replies of earlier runs included; None is no bound.

    A request reserves the most it can cost and settles what it did cost. While others are still in flight a request that
    does not fit waits for their settlement; alone, it stops the run.

    price_in, price_out: dollars per million prompt and completion tokens.
    """

    def __init__(self, tokens: int | None, usd: float | None, price_in: float, price_out: float, account: Account) -> None:
        self.tokens, self.usd = tokens, usd
        self.price_in, self.price_out = price_in, price_out
        self._account = account
        self._claims, self._reserved_tokens, self._reserved_usd = 0, 0, 0.0
        self._waiting: list[asyncio.Future[None]] = []

    def cost(self, prompt: int, completion: int) -> float:
        """Dollars."""
        return (prompt * self.price_in + completion * self.price_out) / 1e6

    async def reserve(self, prompt: int, completion: int) -> tuple[int, float]:
        """Set aside the most a request can cost. Raises `BudgetError` when it cannot fit any more."""
        claim = (prompt + completion, self.cost(prompt, completion))
        # Others in flight reserved their most and will mostly settle for less, so waiting may help; alone it cannot.
        while not self._fits(claim):
            if not self._claims:
                self._look_again()
                raise BudgetError(self._sentence())
            settled = asyncio.get_running_loop().create_future()
            self._waiting.append(settled)
            await settled
        self._claims += 1
        self._reserved_tokens += claim[0]
        self._reserved_usd += claim[1]
        return claim

    def settle(self, claim: tuple[int, float], prompt: int, completion: int) -> None:
        """Replace a reservation by what was spent."""
        self._claims -= 1
        self._reserved_tokens -= claim[0]
        self._reserved_usd = self._reserved_usd - claim[1] if self._claims else 0.0  # no rounding is carried on
        self._account.prompt_tokens += prompt
        self._account.completion_tokens += completion
        self._account.usd += self.cost(prompt, completion)
        self._look_again()

    def _look_again(self) -> None:
        """Wake those whose request did not fit."""
        waiting, self._waiting = self._waiting, []
        for settled in waiting:
            # A request that was cancelled while it waited has a finished future, which must not be set again.
            if not settled.done():
                settled.set_result(None)

    def _fits(self, claim: tuple[int, float]) -> bool:
        before, account = self._account.earlier or _NOTHING, self._account
        tokens = before.prompt_tokens + before.completion_tokens + account.prompt_tokens + account.completion_tokens
        tokens += self._reserved_tokens
        usd = before.usd + account.usd + self._reserved_usd
        within_tokens = self.tokens is None or tokens + claim[0] <= self.tokens
        return within_tokens and (self.usd is None or usd + claim[1] <= self.usd)

    def _sentence(self) -> str:
        spent = self._account.all_runs()
        bound = [f"{self.tokens} tokens"] if self.tokens is not None else []
        bound += [f"{self.usd:g} USD"] if self.usd is not None else []
        return (
            f"the budget of {' and '.join(bound)} does not cover the next request "
            f"({spent.prompt_tokens + spent.completion_tokens} tokens, {spent.usd:.4f} USD spent, kept replies of earlier runs "
            "included): raise it and run the same command again, replies already bought are kept"
        )
