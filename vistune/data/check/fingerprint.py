"""Pictures that are the same, or nearly: an exact hash of the pixels and a perceptual one of the gradients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Hashes: TypeAlias = NDArray[np.uint64]

NEAR = 3
"""Bits of 64 in which nearly equal pictures may differ, in each of the two perceptual hashes."""
_BANDS = NEAR + 1  # with one more band than differing bits, two near hashes agree on at least one band
_CROWD = 2000  # a band shared by more pictures than this says nothing; only those with one hash equal are compared there


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`exact`: of the decoded pixels. `rows`, `columns`: signs of brightness differences along each, on an 8 x 8 grid."""

    exact: int
    rows: int
    columns: int
    flat: bool


def fingerprint(image: Image.Image) -> Fingerprint:
    """The hashes of an RGB picture. Difference hashes do not change with size, brightness or mild compression."""
    # The size is part of the hash: a 2 x 8 and a 4 x 4 picture of one colour have the same bytes.
    digest = hashlib.blake2b(image.tobytes(), digest_size=8, salt=f"{image.width}x{image.height}".encode()[:16])
    gray = image.convert("L")
    # Nine columns give eight differences; box sampling averages all pixels, where others look at a few.
    wide = np.asarray(gray.resize((9, 8), Image.Resampling.BOX)).astype(np.int16)
    high = np.asarray(gray.resize((8, 9), Image.Resampling.BOX)).astype(np.int16)
    return Fingerprint(
        exact=int.from_bytes(digest.digest()),
        rows=_bits(wide[:, 1:] > wide[:, :-1]),
        columns=_bits(high[1:] > high[:-1]),
        flat=all(low == high for low, high in _extremes(image)),
    )


def _extremes(image: Image.Image) -> tuple[tuple[int, int], ...]:
    extremes: Any = image.getextrema()  # of each band: the image is RGB
    return tuple(extremes)


def _bits(signs: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(signs).tobytes())


def near_pairs(rows: Hashes, columns: Hashes) -> Iterator[tuple[int, int]]:
    """Pairs `(i, j)`, i < j, whose hashes differ in at most `NEAR` bits each; every such j comes with its first i only.

    Candidates agree on one of four 16-bit bands of `rows` (an exact method for distances up to three).
    """
    both = np.stack([rows, columns], axis=1)
    _, kept, same = np.unique(both, axis=0, return_index=True, return_inverse=True)
    firsts = np.sort(kept)  # of pictures with equal hashes, only the first is compared: a million copies are no work
    rows, columns = rows[firsts], columns[firsts]
    partner: dict[int, int] = {}
    for members in _alike(rows):
        if len(members) <= _CROWD:
            _pair(members, rows, columns, partner)
            continue
        for equal in _groups(rows[members]):
            crowd = members[equal]
            for close in _alike(columns[crowd]):  # equal in one hash, they may still differ in three bits of the other
                if len(close) <= _CROWD:
                    _pair(crowd[close], rows, columns, partner)
    found = {int(firsts[second]): int(firsts[first]) for second, first in partner.items()}
    for second, first in enumerate(kept[same.ravel()].tolist()):
        # A copy is reported beside the picture its own original looks like, if there is one.
        if first != second:
            found[second] = found.get(first, first)
    yield from sorted((first, second) for second, first in found.items())


def _alike(hashes: Hashes) -> Iterator[NDArray[np.int64]]:
    """Positions of hashes that agree on one of the four bands, band by band."""
    for band in range(_BANDS):
        yield from _groups((hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF))


def _groups(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Positions of equal keys, for keys that occur more than once, in order."""
    # Stable, so that the first of a group is the first in the data, with which the others are compared.
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    yield from (group for group in np.split(order, edges) if len(group) > 1)


def _pair(members: NDArray[np.int64], rows: Hashes, columns: Hashes, partner: dict[int, int]) -> None:
    for place, second in enumerate(members[1:].tolist(), 1):
        before = members[:place]
        far = np.maximum(np.bitwise_count(rows[before] ^ rows[second]), np.bitwise_count(columns[before] ^ columns[second]))
        close = np.flatnonzero(far <= NEAR)
        if len(close):
            first = int(before[close[0]])
            # Several bands may find the same picture; the earliest partner is kept, so the result does not depend on the
            # bands' order.
            partner[second] = min(first, partner.get(second, first))


def equal_groups(hashes: Hashes) -> Iterator[NDArray[np.int64]]:
    """Positions of equal hashes, each group in order."""
    yield from _groups(hashes)
