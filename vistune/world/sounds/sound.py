"""`make_sound`: three seconds in which one to four things sound one after the other, drawn from a seed, with their truth."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.sample import Media, Region
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.sounds import instruments, speech
from vistune.world.sounds.instruments import MAKES, PITCHES, Pitch
from vistune.world.sounds.speech import RATE

Kind: TypeAlias = Literal["struck", "blown", "spoken"]
Side: TypeAlias = Literal["left", "right"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIDES: tuple[Side, ...] = get_args(Side)
NAMES: dict[Kind, tuple[str, ...]] = {"struck": instruments.STRUCK, "blown": instruments.BLOWN, "spoken": tuple(speech.WORDS)}

SECONDS = 3.0
MAX_COUNT = 4
_SLOT = SECONDS / MAX_COUNT
_FAR = 0.25  # how loud the ear on the other side hears it


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """One thing heard from `start` to `end` (seconds): the instrument `name`, or the word said; `make` numbers its player."""

    kind: Kind
    name: str
    pitch: Pitch
    side: Side
    start: float
    end: float
    make: int


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Two channels, float32 `[48000, 2]` at 16 kHz (left, right), and everything heard, in order of time."""

    seed: int
    split: Split
    samples: NDArray[np.float32]
    events: tuple[SoundEvent, ...]

    def media(self) -> tuple[Media, ...]:
        """The sound as a 16-bit WAV file, so that its rate is known."""
        return (Media("audio", data=wav(self.samples)),)

    def regions(self) -> tuple[Region, ...]:
        """A sound has no places."""
        return ()

    def facts(self) -> list[dict[str, object]]:
        """The events as plain JSON."""
        return [
            {"name": event.name, "pitch": event.pitch, "side": event.side, "start": event.start, "end": event.end}
            for event in self.events
        ]


def make_sound(seed: int, split: Split = "train", count: int | None = None) -> Sound:
    """Draw sound number `seed` of a split: `count` things, or one to four, one after the other with silence between.

    `split` decides which makes of an instrument and whose voices are heard. Raises `InputError` outside these ranges.
    """
    check_split(split)
    if seed < 0 or (count is not None and not 1 <= count <= MAX_COUNT):
        raise InputError(f"a sound needs seed >= 0 and 1 to {MAX_COUNT} things, not {seed}, {count}")
    rng = np.random.default_rng([seed, SPLITS.index(split), 5, count or 0])
    number = count or int(rng.integers(1, MAX_COUNT + 1))
    # Slots keep things apart: overlapping ones could not be counted, nor put in order.
    slots = sorted(int(slot) for slot in rng.permutation(MAX_COUNT)[:number])
    heard = np.zeros((int(SECONDS * RATE), 2), np.float32)
    events = tuple(_add(heard, slot, split, rng) for slot in slots)
    heard += rng.uniform(0.0005, 0.008) * rng.standard_normal(heard.shape, dtype=np.float32)  # the room
    return Sound(seed, split, np.clip(heard, -1, 1), events)


def _add(heard: NDArray[np.float32], slot: int, split: Split, rng: np.random.Generator) -> SoundEvent:
    """Let one thing sound in a quarter of the time (changing `heard`) and say what it was."""
    kind, pitch, side = KINDS[int(rng.integers(3))], PITCHES[int(rng.integers(2))], SIDES[int(rng.integers(2))]
    name = NAMES[kind][int(rng.integers(len(NAMES[kind])))]
    make = int(MAKES[split][int(rng.integers(len(MAKES[split])))])
    if kind == "spoken":
        one = speech.say(name, instruments.voice_of(make, pitch), rng)
    else:
        one = instruments.play(name, pitch, make, rng)
    # A slow voice may take longer than its slot; 25 ms of silence stay between two things.
    one = one[: int(_SLOT * RATE) - 400]
    free = int(_SLOT * RATE) - len(one)
    first = int(slot * _SLOT * RATE + rng.uniform(0.1, 0.9) * free)
    loud = rng.uniform(0.35, 0.8)
    near = SIDES.index(side)
    heard[first : first + len(one), near] += loud * one
    heard[first : first + len(one), 1 - near] += _FAR * loud * one
    return SoundEvent(kind, name, pitch, side, first / RATE, (first + len(one)) / RATE, make)


def wav(samples: NDArray[np.float32]) -> bytes:
    """Samples `[samples, channels]` in [-1, 1] as a WAV file of 16 bits at 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()
