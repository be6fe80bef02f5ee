"""Logarithmic mel spectra in numpy, as the feature extractors of `transformers` compute them."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def whisper_mel(
    samples: NDArray[np.float32], mels: int = 80, size: int = 400, hop: int = 160, rate: int = 16_000
) -> NDArray[np.float32]:
    """Samples `[N]`, N a multiple of `hop` -> `[mels, N / hop]`: Whisper's spectrum (arXiv 2212.04356, section 2.2).

    Frames are centred, the ends mirrored; what is 8 orders of magnitude below the loudest is cut off.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = _power(np.pad(samples.astype(np.float64), size // 2, mode="reflect"), window, size, hop)[:-1]
    spectrum: Floats = np.log10(np.maximum(power @ _filters(size, mels, rate, 0.0, rate / 2, "slaney"), 1e-10)).T
    lifted: NDArray[np.float32] = ((np.maximum(spectrum, spectrum.max() - 8) + 4) / 4).astype(np.float32)
    return lifted


def clap_mel(
    samples: NDArray[np.float32],
    mels: int = 64,
    size: int = 1024,
    hop: int = 480,
    rate: int = 48_000,
    low: float = 50.0,
    high: float = 14_000.0,
) -> NDArray[np.float32]:
    """Samples `[N]` -> `[1 + N / hop, mels]` in decibels: CLAP's spectrum (arXiv 2211.06687) without fusion of long sounds."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = _power(np.pad(samples.astype(np.float64), size // 2, mode="reflect"), window, size, hop)
    return (10 * np.log10(np.maximum(power @ _filters(size, mels, rate, low, high, "slaney"), 1e-10))).astype(np.float32)


def kaldi_fbank(
    samples: NDArray[np.float32],
    mels: int = 128,
    rate: int = 16_000,
    low: float = 20.0,
    window: Literal["hanning", "povey"] = "hanning",
) -> NDArray[np.float32]:
    """Samples `[N]` -> `[1 + (N - 25 ms) / 10 ms, mels]`: Kaldi's filter bank, which AST and ImageBind use.

    Each frame loses its mean and low frequencies (0.97 of the sample before); frames lie inside the sound.
    """
    size, hop = rate * 25 // 1000, rate // 100
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    width = 1 << (size - 1).bit_length()
    power = np.abs(np.fft.rfft(frames * (shape**0.85 if window == "povey" else shape), width)) ** 2
    energy = power @ _filters(width, mels, rate, low, rate / 2, "kaldi")
    return np.log(np.maximum(energy, np.finfo(np.float32).eps)).astype(np.float32)


def _power(padded: Floats, window: Floats, size: int, hop: int) -> Floats:
    """Power of the frequencies of each frame, `[frames, size / 2 + 1]`."""
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    power: Floats = np.abs(np.fft.rfft(frames * window, size)) ** 2
    return power


@cache
def _filters(size: int, mels: int, rate: int, low: float, high: float, kind: Literal["slaney", "kaldi"]) -> Floats:
    """`[size / 2 + 1, mels]`: triangles, on Slaney's scale of equal area, on Kaldi's (that of HTK) of equal height."""
    frequencies = np.arange(size // 2 + 1) * rate / size
    if kind == "kaldi":
        edges = np.linspace(_htk(np.array(low)), _htk(np.array(high)), mels + 2)
        return _triangles(_htk(frequencies), edges)
    edges = _from_slaney(np.linspace(_slaney(low), _slaney(high), mels + 2))
    return _triangles(frequencies, edges) * (2 / (edges[2:] - edges[:-2]))


def _triangles(values: Floats, edges: Floats) -> Floats:
    rising = (values[:, None] - edges[None, :-2]) / np.diff(edges)[:-1]
    falling = (edges[None, 2:] - values[:, None]) / np.diff(edges)[1:]
    triangles: Floats = np.maximum(0, np.minimum(rising, falling))
    return triangles


def _htk(frequency: Floats) -> Floats:
    mel: Floats = 1127 * np.log(1 + frequency / 700)
    return mel


# Slaney's scale: 200/3 Hz a mel up to 1 kHz, which is mel 15, then 27 mels for a factor of 6.4.
def _slaney(frequency: float) -> float:
    return frequency * 3 / 200 if frequency < 1000 else 15 + 27 * float(np.log(frequency / 1000) / np.log(6.4))


def _from_slaney(mel: Floats) -> Floats:
    hertz: Floats = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    return hertz
