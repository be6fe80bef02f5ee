"""Spoken number words from formants: a voice's harmonics under the resonances of its vocal tract, and noise for consonants.

The synthesis is additive (harmonics weighted by the formants' response), not a filter: a word costs about two milliseconds.
Formant frequencies are the averages for vowels of Peterson and Barney (JASA 24, 1952) and the consonants' loci of Klatt (JASA
67, 1980), rounded. A `Voice` scales all of them by the length of its vocal tract.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # samples a second
_FRAME = 80  # samples, 5 ms: how often formants are set
_WIDTHS = (70.0, 110.0, 170.0)  # Hz, of the three formants
_LEVELS = (1.0, 0.6, 0.3)


@dataclass(frozen=True, slots=True)
class Phoneme:
    """`seconds` long; `voiced` loudness under `formants` (Hz); `noise` loudness around `centre` (Hz) and `spread` (Hz) wide."""

    seconds: float
    voiced: float
    formants: tuple[float, float, float]
    noise: float = 0.0
    centre: float = 0.0
    spread: float = 1.0


@dataclass(frozen=True, slots=True)
class Voice:
    """`pitch` in Hz, `tract` scales the formants (1: an average man's), `breath` is noise in vowels, `tempo` scales times."""

    pitch: float
    tract: float
    breath: float
    tempo: float
    glide: float  # share of its pitch by which a word falls or rises


_PHONEMES = {
    "iy": Phoneme(0.17, 1.0, (280, 2250, 2950)),
    "ih": Phoneme(0.11, 1.0, (400, 1950, 2550)),
    "eh": Phoneme(0.12, 1.0, (540, 1800, 2480)),
    "ah": Phoneme(0.12, 1.0, (640, 1190, 2390)),
    "uh": Phoneme(0.08, 0.8, (500, 1400, 2400)),
    "ao": Phoneme(0.16, 1.0, (570, 840, 2410)),
    "uw": Phoneme(0.18, 0.9, (310, 870, 2240)),
    "aa": Phoneme(0.12, 1.0, (730, 1120, 2440)),
    "ey": Phoneme(0.10, 1.0, (470, 2000, 2600)),
    "ow": Phoneme(0.16, 1.0, (460, 800, 2400)),
    "w": Phoneme(0.07, 0.6, (290, 610, 2150)),
    "r": Phoneme(0.08, 0.7, (330, 1060, 1380)),
    "n": Phoneme(0.10, 0.45, (250, 1450, 2500)),
    "z": Phoneme(0.09, 0.3, (250, 1600, 2550), 0.25, 5200, 1300),
    "v": Phoneme(0.07, 0.4, (250, 1100, 2300), 0.08, 3500, 2500),
    "s": Phoneme(0.12, 0.0, (300, 1600, 2550), 0.45, 5600, 1200),
    "f": Phoneme(0.11, 0.0, (300, 1100, 2300), 0.16, 4200, 3000),
    "th": Phoneme(0.10, 0.0, (300, 1400, 2500), 0.12, 5000, 2800),
    "gap": Phoneme(0.05, 0.0, (400, 1600, 2500)),
    "t": Phoneme(0.03, 0.0, (350, 1800, 2600), 0.6, 4300, 1600),
    "k": Phoneme(0.03, 0.0, (350, 1900, 2500), 0.6, 2000, 900),
}
WORDS: dict[str, tuple[str, ...]] = {
    "zero": ("z", "ih", "r", "ow"),
    "one": ("w", "ah", "n"),
    "two": ("gap", "t", "uw"),
    "three": ("th", "r", "iy"),
    "four": ("f", "ao", "r"),
    "five": ("f", "aa", "iy", "v"),
    "six": ("s", "ih", "gap", "k", "s"),
    "seven": ("s", "eh", "v", "uh", "n"),
    "eight": ("ey", "iy", "gap", "t"),
    "nine": ("n", "aa", "iy", "n"),
}


def say(word: str, voice: Voice, rng: np.random.Generator) -> NDArray[np.float32]:
    """A word of `WORDS` as `[samples]` in [-1, 1] at 16 kHz, its loudest sample at one."""
    phonemes = [_PHONEMES[name] for name in WORDS[word]]
    lengths = [phoneme.seconds * voice.tempo * rng.uniform(0.9, 1.1) for phoneme in phonemes]
    starts = np.cumsum([0.0, *lengths])
    frames = int(starts[-1] * RATE) // _FRAME
    times = (np.arange(frames) + 0.5) * _FRAME / RATE
    # A phoneme's values hold in its middle half; between two middles the mouth moves evenly.
    knots = np.stack([starts[:-1] + np.array(lengths) / 4, starts[:-1] + 3 * np.array(lengths) / 4], axis=1).ravel()

    def track(values: list[float]) -> NDArray[np.float64]:
        return np.asarray(np.interp(times, knots, np.repeat(values, 2)))

    formants = [voice.tract * track([phoneme.formants[number] for phoneme in phonemes]) for number in range(3)]
    voiced, noise = track([phoneme.voiced for phoneme in phonemes]), track([phoneme.noise for phoneme in phonemes])
    fade = np.clip(np.minimum(times, times[-1] - times + times[0]) / 0.02, 0, 1)
    # A perfectly even pitch sounds like a machine.
    pitch = voice.pitch * (1 + voice.glide * (times / times[-1] - 0.5) + 0.01 * rng.standard_normal(frames))
    sound = _harmonics(pitch, formants, voiced * fade)
    hiss = rng.standard_normal((frames, _FRAME))
    sound += _shaped(hiss, phonemes, starts, times) * np.repeat(noise * fade, _FRAME)
    sound += voice.breath * hiss.ravel() * np.repeat(voiced * fade, _FRAME)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _harmonics(
    pitch: NDArray[np.float64], formants: list[NDArray[np.float64]], loudness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiples of the pitch up to 4 kHz, each as loud as the formants let it be. All arguments are a value a frame."""
    # The phase is summed up: a sine of the momentary pitch times the time would jump where the pitch changes.
    turns = np.cumsum(np.repeat(pitch, _FRAME)) / RATE
    base = np.exp(2j * np.pi * turns)
    sound, wave = np.zeros(len(turns)), np.ones(len(turns), complex)
    for number in range(1, int(4000 / pitch.min()) + 1):
        wave = wave * base  # the next harmonic without another sine
        response = sum(
            level / (1 + ((number * pitch - formant) / width) ** 2)
            for formant, width, level in zip(formants, _WIDTHS, _LEVELS, strict=True)
        )
        # Higher harmonics of a glottal pulse are weaker; the constant keeps valleys between formants from falling silent.
        amount = loudness * (response + 0.02) / np.sqrt(number)
        sound += wave.imag * np.interp(np.arange(len(turns)), (np.arange(len(amount)) + 0.5) * _FRAME, amount)
    return sound


def _shaped(
    hiss: NDArray[np.float64], phonemes: list[Phoneme], starts: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """White noise `[frames, 80]` as the phonemes' bands, frame by frame."""
    owner = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(phonemes) - 1)
    frequencies = np.fft.rfftfreq(2 * _FRAME, 1 / RATE)
    bands = np.stack([np.exp(-(((frequencies - phoneme.centre) / phoneme.spread) ** 2)) for phoneme in phonemes])
    padded = np.fft.rfft(hiss, 2 * _FRAME)
    blocks = np.fft.irfft(padded * bands[owner], 2 * _FRAME)
    shaped = np.zeros((len(hiss) + 1, _FRAME))  # filtered blocks are longer than their frame: the rest falls on the next
    shaped[:-1] += blocks[:, :_FRAME]
    shaped[1:] += blocks[:, _FRAME:]
    return shaped[:-1].ravel()
