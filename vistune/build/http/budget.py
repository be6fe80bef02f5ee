"""`Budget`: tokens and money that a run may spend, checked before a request is sent and not after."""

from __future__ import annotations

import asyncio

from vistune.build.account import Account
from vistune.errors import InputError


class BudgetError(InputError):
    """The budget does not cover the next request."""


class Budget:
    """Bounds on tokens (prompt + completion) and on US dollars; None is no bound.

    A request reserves the most it can cost and settles what it did cost. While others are still in flight a request that
    does not fit waits for their settlement; alone, it stops the run.

    price_in, price_out: dollars per million prompt and completion tokens.
    """

    def __init__(self, tokens: int | None, usd: float | None, price_in: float, price_out: float, account: Account) -> None:
        self.tokens, self.usd = tokens, usd
        self.price_in, self.price_out = price_in, price_out
        self._account = account
        self._reserved: list[tuple[int, float]] = []
        self._settled = asyncio.Condition()

    def cost(self, prompt: int, completion: int) -> float:
        """Dollars."""
        return (prompt * self.price_in + completion * self.price_out) / 1e6

    async def reserve(self, prompt: int, completion: int) -> tuple[int, float]:
        """Set aside the most a request can cost. Raises `BudgetError` when it cannot fit any more."""
        claim = (prompt + completion, self.cost(prompt, completion))
        async with self._settled:
            while not self._fits(claim):
                if not self._reserved:
                    self._settled.notify_all()
                    raise BudgetError(self._sentence())
                await self._settled.wait()
            self._reserved.append(claim)
        return claim

    async def settle(self, claim: tuple[int, float], prompt: int, completion: int) -> None:
        """Replace a reservation by what was spent."""
        async with self._settled:
            self._reserved.remove(claim)
            self._account.prompt_tokens += prompt
            self._account.completion_tokens += completion
            self._account.usd += self.cost(prompt, completion)
            self._settled.notify_all()

    def _fits(self, claim: tuple[int, float]) -> bool:
        tokens = self._account.prompt_tokens + self._account.completion_tokens + sum(each[0] for each in self._reserved)
        usd = self._account.usd + sum(each[1] for each in self._reserved)
        within_tokens = self.tokens is None or tokens + claim[0] <= self.tokens
        return within_tokens and (self.usd is None or usd + claim[1] <= self.usd)

    def _sentence(self) -> str:
        spent = self._account.prompt_tokens + self._account.completion_tokens
        bound = [f"{self.tokens} tokens"] if self.tokens is not None else []
        bound += [f"{self.usd:g} USD"] if self.usd is not None else []
        return (
            f"the budget of {' and '.join(bound)} does not cover the next request ({spent} tokens, {self._account.usd:.4f} USD "
            "spent): raise it and run the same command again, replies already bought are kept"
        )
