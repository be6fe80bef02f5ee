"""`Limiter`: how many requests may be in flight, found by trying."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class Limiter:
    """A limit on concurrency that adapts to the endpoint, and an optional pace.

    The limit grows by one with every success until the endpoint first refuses, then by one per round of successes; every
    refusal takes half a place. It comes to rest where about 2 in `limit` requests are refused. When more refusals than the
    limit come without a success between them, nothing starts before the endpoint's `Retry-After` is over.

    most: the highest limit. requests_per_minute, tokens_per_minute: a known quota, spread evenly; None is no quota.
    """

    def __init__(self, most: int, requests_per_minute: float | None = None, tokens_per_minute: float | None = None) -> None:
        self.most = most
        self.limit = float(min(most, 8))
        self.peak = 0
        self._rates = (requests_per_minute, tokens_per_minute)
        self._slow_start = True
        self._flying = 0
        self._refusals = 0
        self._not_before = 0.0
        self._next_start = 0.0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def acquire(self, tokens: int) -> None:
        """Wait for a place, and for the pace of a request of so many tokens."""
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._let_in()
        await place
        now = time.monotonic()
        start = max(self._next_start, self._not_before, now)
        # Set before sleeping: whoever comes meanwhile queues up behind this start.
        self._next_start = start + self._interval(tokens)
        if start > now:
            await asyncio.sleep(start - now)

    def release(self) -> None:
        """Give the place back."""
        self._flying -= 1
        self._let_in()

    def _let_in(self) -> None:
        """Whoever waits longest, as far as there are places: no one else is woken for it."""
        while self._queue and self._flying < int(self.limit):
            place = self._queue.popleft()
            if not place.done():  # done is a request that was given up while it waited
                place.set_result(None)
                self._flying += 1
                self.peak = max(self.peak, self._flying)

    def succeeded(self) -> None:
        """A reply came. A limit that is not used up has not been tried, and does not grow."""
        self._refusals = 0
        if self._flying + 1 < int(self.limit):
            return
        # As TCP does: fast until the first refusal, then one more place for each full round of successes.
        self.limit = min(self.most, self.limit + (1.0 if self._slow_start else 1.0 / self.limit))

    def refused(self, retry_after: float) -> None:
        """The endpoint said that it is too busy."""
        self._refusals += 1
        self._slow_start = False
        # Half a place and not half the limit: refusals come in bursts, and halving at each would throttle to nothing.
        self.limit = max(1.0, self.limit - 0.5)
        if self._refusals > self.limit:
            self._not_before = max(self._not_before, time.monotonic() + retry_after)

    def _interval(self, tokens: int) -> float:
        per_request, per_token = self._rates
        waits = [60.0 / per_request] if per_request else []
        return max([*waits, *([60.0 * tokens / per_token] if per_token else []), 0.0])
