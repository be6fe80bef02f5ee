"""Reading in a random order with sequential access, split over ranks and workers, resumable at the very next sample.

The order is a pure function of the seed: shards are permuted, laid end to end, and cut into windows of `window` samples, inside
which samples are permuted. That is what a shuffle buffer does for randomness and for the disk, without its state:

    shards of an epoch, permuted    |----- c -----|--- a ---|------ b ------|
    windows, permuted inside        |   0   |   1   |   2   |   3   |   4   |
    positions                       0 1 2 ...

Position `p` of the run belongs to rank `p % ranks` and, on that rank, to worker `(p // ranks) % workers`. A cursor is one
number, the next position, so a run may go on with another number of ranks or workers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from vistune.data.order.permutation import permuted
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.sample import Sample


class Order:
    """Which sample stands at each position. `ends` are the samples up to the end of each shard (default: one shard).

    window:  samples within which order is random; 1 keeps the shards' own order, None permutes everything
    """

    def __init__(self, size: int, *, ends: Sequence[int] | None = None, seed: int = 0, window: int | None = 10_000) -> None:
        self._ends = [size] if ends is None else [int(end) for end in ends]
        if size < 1 or self._ends[-1] != size:
            raise InputError("there are no samples to stream")
        if window is not None and window < 1:
            raise InputError("window is at least 1: the number of samples within which order is random")
        self._size, self._seed = size, seed
        self._window = size if window is None else min(window, size)
        self._epoch = (-1, [0], [0])

    def __getitem__(self, position: int) -> int:
        """The index of the sample at a position; positions never end, each `size` of them are an epoch."""
        epoch, place = divmod(position, self._size)
        block, inner = divmod(place, self._window)
        length = min(self._window, self._size - block * self._window)
        # Random within a window, in order between windows: shards are then read nearly front to back, as disks and archives
        # want.
        laid = block * self._window + permuted(inner, length, self._seed, epoch, block)
        shards, laid_ends = self._shards(epoch)
        number = bisect_right(laid_ends, laid)
        offset = laid - (laid_ends[number - 1] if number else 0)
        shard = shards[number]
        return (self._ends[shard - 1] if shard else 0) + offset

    def _shards(self, epoch: int) -> tuple[list[int], list[int]]:
        """The shards in this epoch's order, and where each ends when they are laid end to end."""
        if self._epoch[0] != epoch:
            count = len(self._ends)
            # The order of shards changes with the epoch, or the same samples would meet in a window every time.
            shards = [permuted(number, count, self._seed, epoch, -1) for number in range(count)]
            sizes = [self._ends[shard] - (self._ends[shard - 1] if shard else 0) for shard in shards]
            self._epoch = (epoch, shards, list(accumulate(sizes)))
        return self._epoch[1], self._epoch[2]


def positions(cursor: int, end: int, *, rank: int = 0, ranks: int = 1, worker: int = 0, workers: int = 1) -> Iterator[int]:
    """This rank's and worker's positions in `[cursor, end)`, in order."""
    if not (0 <= rank < ranks and 0 <= worker < workers):
        raise InputError(f"rank {rank} of {ranks} and worker {worker} of {workers} are not counted from 0")
    step = ranks * workers
    mine = rank + worker * ranks
    # A position belongs to a rank and worker by its number alone, so a cursor means the same for any number of either.
    yield from range(cursor + (mine - cursor) % step, end, step)


class Stream:
    """Samples by position: `for position, sample in Stream(samples, cursor=saved)`, then save `position + ranks` as the cursor.

    epochs:   how often all samples are seen
    workers:  processes that read ahead; 0 reads in this process. The order is the same for any number
    ahead:    samples each worker may be ahead

    Raises `InputError` at the position of a sample that cannot be read, whichever process found it.
    """

    def __init__(
        self,
        samples: Samples,
        *,
        ends: Sequence[int] | None = None,
        seed: int = 0,
        window: int | None = 10_000,
        epochs: int = 1,
        cursor: int = 0,
        rank: int = 0,
        ranks: int = 1,
        workers: int = 0,
        ahead: int = 16,
    ) -> None:
        self._samples = samples
        self._order = Order(len(samples), ends=ends, seed=seed, window=window)
        self._end = len(samples) * epochs
        self._cursor, self._rank, self._ranks, self._workers, self._ahead = cursor, rank, ranks, workers, ahead

    def __iter__(self) -> Iterator[tuple[int, Sample]]:
        if self._workers > 0:
            from vistune.data.order.workers import in_order

            yield from in_order(self._part, self._workers, self._first_worker(), self._ahead)
        else:
            yield from self._part(0, 1)

    def _first_worker(self) -> int:
        """The worker that holds this rank's next position."""
        following = next(positions(self._cursor, self._end, rank=self._rank, ranks=self._ranks), 0)
        return following // self._ranks % self._workers

    def _part(self, worker: int, workers: int) -> Iterator[tuple[int, Sample]]:
        mine = positions(self._cursor, self._end, rank=self._rank, ranks=self._ranks, worker=worker, workers=workers)
        return ((position, self._samples[self._order[position]]) for position in mine)
