"""Struck and blown things: each name has forty instruments of its own make, divided among the splits, played low or high."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from vistune.world.digits import Split
from vistune.world.sounds.speech import RATE, Voice

Pitch: TypeAlias = Literal["low", "high"]
PITCHES: tuple[Pitch, ...] = get_args(Pitch)

STRUCK = ("bell", "drum", "block")
BLOWN = ("flute", "horn", "whistle")
MADE = 40  # instruments of a name, and voices
MAKES: dict[Split, range] = {"train": range(0, 30), "validation": range(30, 34), "test": range(34, 40)}

# Hz. The two ranges of a name stay apart by at least two thirds, so that "the high bell" is never in doubt.
RANGES: dict[str, dict[Pitch, tuple[float, float]]] = {
    "bell": {"low": (380, 520), "high": (900, 1250)},
    "drum": {"low": (60, 85), "high": (145, 200)},
    "block": {"low": (480, 640), "high": (1150, 1500)},
    "flute": {"low": (300, 420), "high": (720, 980)},
    "horn": {"low": (95, 135), "high": (230, 310)},
    "whistle": {"low": (1100, 1400), "high": (2500, 3200)},
    "voice": {"low": (90, 130), "high": (215, 280)},
}


@dataclass(frozen=True, slots=True)
class Make:
    """How one instrument is built: four numbers in [-1, 1] that bend its partials, decay, brightness and breath."""

    partials: float
    decay: float
    bright: float
    breath: float


@cache
def make_of(name: str, number: int) -> Make:
    """Instrument `number` (0 to 39) of a name, always the same."""
    rng = np.random.default_rng([number, *name.encode()])
    return Make(*(float(value) for value in rng.uniform(-1, 1, 4)))


@cache
def voice_of(number: int, pitch: Pitch) -> Voice:
    """Voice `number` (0 to 39); a high voice belongs to a shorter vocal tract."""
    make = make_of("voice", number)
    low, high = RANGES["voice"][pitch]
    # A shorter tract raises all formants; a high pitch alone sounds like the same speaker squeaking.
    shorter = 1.0 if pitch == "low" else 1.14
    return Voice(
        pitch=low + (high - low) * (make.partials + 1) / 2,
        tract=shorter * (1 + 0.06 * make.bright),
        breath=0.02 + 0.015 * make.breath,
        tempo=1 + 0.12 * make.decay,
        glide=-0.15 + 0.15 * make.partials * make.bright,
    )


def play(name: str, pitch: Pitch, number: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """One note of instrument `number` of a name: `[samples]` at 16 kHz, its loudest sample at one."""
    make = make_of(name, number)
    frequency = rng.uniform(*RANGES[name][pitch])
    seconds = rng.uniform(0.4, 0.6)
    time = np.arange(int(seconds * RATE)) / RATE
    sound = {
        "bell": _bell,
        "drum": _drum,
        "block": _block,
        "flute": _flute,
        "horn": _horn,
        "whistle": _whistle,
    }[name](time, frequency, make, rng)
    # Faded out: a note cut at full loudness ends in a click, which would tell its length.
    sound *= np.clip((time[-1] - time) / 0.03, 0, 1)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _partials(time: NDArray[np.float64], parts: list[tuple[float, float, float]]) -> NDArray[np.float64]:
    """Sines of (frequency, loudness, decay in seconds); what lies above half the sampling rate is left out."""
    sound = np.zeros(len(time))
    for frequency, loudness, decay in parts:
        if frequency < RATE / 2:
            sound += loudness * np.exp(-time / decay) * np.sin(2 * np.pi * frequency * time)
    return np.asarray(sound)


def _bell(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    ratios = (1.0, 2.0 + 0.1 * make.partials, 2.76 + 0.2 * make.partials, 4.1, 5.4 + 0.3 * make.bright)
    decay = 0.3 * 2.0**make.decay
    parts = [(frequency * ratio, (0.7 + 0.15 * make.bright) ** k, decay / ratio**0.5) for k, ratio in enumerate(ratios)]
    return _partials(time, parts)


def _drum(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    decay = 0.12 * 1.6**make.decay
    fall = frequency * (time + (0.8 + 0.2 * make.partials) * 0.03 * (1 - np.exp(-time / 0.03)))  # the skin slackens
    skin = np.exp(-time / decay) * np.sin(2 * np.pi * fall)
    click = np.exp(-time / 0.02) * rng.standard_normal(len(time))
    return np.asarray(skin + (0.25 + 0.12 * make.breath) * click)


def _block(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    decay = 0.03 * 1.5**make.decay
    parts = [(frequency, 1.0, decay), (frequency * (2.5 + 0.3 * make.partials), 0.4 + 0.2 * make.bright, decay / 2)]
    return _partials(time, parts) + 0.1 * np.exp(-time / 0.005) * rng.standard_normal(len(time))


def _blown(time: NDArray[np.float64], attack: float) -> NDArray[np.float64]:
    return np.asarray(np.minimum(time / attack, 1.0) * np.clip((time[-1] - time) / 0.08, 0, 1))


def _harmonic(time: NDArray[np.float64], frequency: float, loudness: list[float], vibrato: float) -> NDArray[np.float64]:
    # Vibrato moves the phase, which harmonics share: moved one by one they would fall apart into single tones.
    turns = frequency * time + vibrato * np.sin(2 * np.pi * 5.5 * time)
    return np.asarray(
        sum(loud * np.sin(2 * np.pi * (k + 1) * turns) for k, loud in enumerate(loudness) if (k + 1) * frequency < 7500)
    )


def _flute(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    tone = _harmonic(time, frequency, [1.0, 0.3 + 0.15 * make.bright, 0.1 + 0.05 * make.partials], 0.3)
    breath = (0.12 + 0.05 * make.breath) * rng.standard_normal(len(time))
    return (tone + breath) * _blown(time, 0.06 * 1.3**make.decay)


def _horn(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    slope = 0.8 + 0.06 * make.bright
    tone = _harmonic(time, frequency, [slope**k * (1 + 0.3 * make.partials * (-1) ** k) for k in range(16)], 0.05)
    return tone * _blown(time, 0.05 * 1.4**make.decay)


def _whistle(time: NDArray[np.float64], frequency: float, make: Make, rng: np.random.Generator) -> NDArray[np.float64]:
    beats = 1 + (0.4 + 0.15 * make.partials) * np.sin(2 * np.pi * (22 + 5 * make.bright) * time)  # the pea goes round
    return _harmonic(time, frequency, [1.0, 0.08], 0.1) * beats * _blown(time, 0.03 * 1.3**make.decay)
