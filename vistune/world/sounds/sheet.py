"""A sheet of sounds as spectrograms, left above right, to look at."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vistune.world.sounds.phrases import transcript
from vistune.world.sounds.sound import Sound

_WINDOW, _HOP, _BINS = 512, 96, 128  # samples, samples, frequencies shown: up to 4 kHz
_LINE, _LETTERS = 28, 80  # the height of two lines of text, and how many letters one holds
_RANGE = 70.0  # decibels from black to white


def sound_sheet(sounds: list[Sound]) -> Image.Image:
    """The spectrograms of each sound's two channels (frequencies upwards), its transcript with sides above them."""
    pictures = [np.concatenate([spectrogram(sound.samples[:, side]) for side in range(2)]) for sound in sounds]
    height, width = pictures[0].shape
    sheet = Image.new("RGB", (width, len(sounds) * (height + _LINE + 4)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LINE // 2 - 3)
    for number, (sound, picture) in enumerate(zip(sounds, pictures, strict=True)):
        top = number * (height + _LINE + 4)
        said = f"{sound.split} {sound.seed}: {transcript(sound, side=True)}"
        draw.text((2, top), "\n".join(wrap(said, _LETTERS)), fill="black", font=font)
        sheet.paste(Image.fromarray(picture), (0, top + _LINE))
    return sheet


def spectrogram(wave: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`[128, frames]` of a wave: loud is dark, low frequencies are at the bottom."""
    frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    loud = 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1))[:, :_BINS].T + 1e-6)
    grey = 255 * np.clip((loud.max() - loud) / _RANGE, 0, 1)
    return np.asarray(grey[::-1], np.uint8)
