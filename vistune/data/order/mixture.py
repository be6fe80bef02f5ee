"""How often each source of a mixture is seen, and which of its samples stands at a place: pure functions of the seed.

A place in the run is a number from 0. It belongs to an epoch, inside the epoch to a source, and inside the source to one of its
samples. Nothing is drawn and remembered, so any rank, any worker and any resumed run sees the same sample at the same place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, TypeAlias

from vistune.data.order.permutation import permuted
from vistune.errors import InputError

Sampling: TypeAlias = Literal["all", "weights", "sqrt", "temperature"]


@dataclass(frozen=True, slots=True)
class Share:
    """One source: how many samples it has, and what its part in the mixture is.

    weight:  its share, relative to the others' (sampling "weights")
    cap:     at most this many of its samples count, and are seen in an epoch (other ones in the next epoch)
    repeat:  how often its samples are seen per epoch (sampling "all"); 0.5 is every other sample
    """

    size: int
    weight: float = 1.0
    cap: int | None = None
    repeat: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError("a source of the mixture is empty")
        if self.weight < 0 or self.repeat < 0 or (self.cap is not None and self.cap < 1):
            raise InputError("weight and repeat are not negative, cap is at least 1")

    @property
    def counted(self) -> int:
        """Its size as far as the cap lets it count."""
        return self.size if self.cap is None else min(self.size, self.cap)


def epoch_counts(shares: Sequence[Share], sampling: Sampling, size: int | None = None, temperature: float = 2.0) -> list[int]:
    """How many samples of each source one epoch holds.

        all          counted size x repeat (`size` may not be given)
        weights      proportional to the weights
        sqrt         proportional to the square root of the counted size (InstructBLIP, Dai et al., 2023)
        temperature  proportional to counted size ** (1 / temperature) (Raffel et al., 2020)

    The last three divide `size` samples (default: the sum of the counted sizes), rounded so that the sum is exact.
    """
    if sampling == "all":
        if size is not None:
            raise InputError("a mixture of all samples has its own size: leave size out, or choose another sampling")
        return [round(share.counted * share.repeat) for share in shares]
    if temperature <= 0:
        raise InputError("the temperature is greater than 0")
    if any(share.repeat != 1 for share in shares):
        raise InputError("repeat belongs to sampling=all: give weights instead")
    if sampling == "weights":
        parts = [share.weight for share in shares]
    else:
        power = 0.5 if sampling == "sqrt" else 1 / temperature
        parts = [share.counted**power for share in shares]
    if sum(parts) <= 0:
        raise InputError("at least one source of a mixture has a weight above 0")
    return apportion(sum(share.counted for share in shares) if size is None else size, parts)


def apportion(total: int, parts: Sequence[float]) -> list[int]:
    """Whole numbers proportional to `parts` that sum to `total`: rounded down, the largest remainders one up."""
    exact = [total * part / sum(parts) for part in parts]
    counts = [int(value) for value in exact]
    # Ties go to the earlier source, so that counts do not depend on a hash or a float's last bit.
    by_remainder = sorted(range(len(parts)), key=lambda number: (counts[number] - exact[number], number))
    for number in by_remainder[: total - sum(counts)]:
        counts[number] += 1
    return counts


class Plan:
    """Which sample of which source stands at each place of a run of `epochs` epochs."""

    def __init__(self, shares: Sequence[Share], counts: Sequence[int], epochs: int = 1, seed: int = 0) -> None:
        self._shares, self._counts, self._seed = list(shares), list(counts), seed
        self._ends = list(accumulate(counts))
        self.epoch_size = self._ends[-1] if self._ends else 0
        if self.epoch_size < 1 or epochs < 1:
            raise InputError("the mixture holds no samples")
        self._length = self.epoch_size * epochs

    def __len__(self) -> int:
        return self._length

    def at(self, place: int) -> tuple[int, int]:
        """`(source, index in it)` for a place. Every sample of a source is seen once before any is seen again."""
        epoch, offset = divmod(place, self.epoch_size)
        # Sources are laid end to end and the epoch's places permuted over them: the mixture is exact in every epoch, not on
        # average.
        slot = permuted(offset, self.epoch_size, self._seed, epoch)
        source = bisect_right(self._ends, slot)
        before = self._ends[source - 1] if source else 0
        turn = epoch * self._counts[source] + slot - before  # how many samples of this source came before, in all epochs
        round_, inner = divmod(turn, self._shares[source].size)
        # Negative keys keep these permutations apart from those of epochs, which count from 0.
        return source, permuted(inner, self._shares[source].size, self._seed, -1 - source, round_)
