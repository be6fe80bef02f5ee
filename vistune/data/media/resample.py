"""Sounds at another rate: interpolation by a windowed sinc."""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

_ZEROS = 6  # crossings of the sinc on each side of its middle
_ROLLOFF = 0.99  # of the lower rate's highest frequency


def resampled(samples: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """`samples [N]` of `rate` a second -> `[resampled_length(N, rate, wanted)]` of `wanted` a second."""
    if rate == wanted:
        return samples
    common = gcd(rate, wanted)
    old, new = rate // common, wanted // common
    cutoff = _ROLLOFF * min(old, new)
    reach = ceil(_ZEROS * old / cutoff)
    # One row of taps for each of the `new` places between `old` samples, after which the pattern repeats.
    taps, places = np.arange(-reach, reach + old) / old, np.arange(new) / new
    time = np.clip((taps[None] - places[:, None]) * cutoff, -_ZEROS, _ZEROS)
    kernel = np.sinc(time) * np.cos(time * np.pi / (2 * _ZEROS)) ** 2 * cutoff / old
    padded = np.pad(samples, (reach, reach + old))
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps))[::old]
    out: NDArray[np.float32] = (windows @ kernel.T.astype(np.float32)).reshape(-1)
    return out[: resampled_length(len(samples), rate, wanted)]


def resampled_length(count: int, rate: int, wanted: int) -> int:
    """How many samples `count` samples become at another rate."""
    return -(-count * wanted // rate)
