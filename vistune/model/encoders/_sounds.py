"""Encoders of sounds: one channel at the encoder's rate, cut into windows of one length, each a spectrum."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from vistune.data.media.audio import audio_length, load_audio
from vistune.data.media.resample import resampled, resampled_length
from vistune.errors import InputError
from vistune.model.encoders.base import Encoder
from vistune.model.features import Layout, Prepared
from vistune.sample import Media


class SoundEncoder(Encoder):
    """A sound becomes windows of `window` samples at `rate` a second, one behind the other; each gives `tokens` tokens.

    The last window is filled up with silence. A sound of more than `windows` windows is refused, never cut. Samples without a
    rate of their own, an array's, are taken to have the encoder's.
    """

    reads: ClassVar[tuple[str, ...]] = ("audio",)
    rate: int
    window: int
    windows: int
    tokens: int

    @abstractmethod
    def spectrum(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the encoder reads of one window `[window]`."""

    def filled(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """A shorter last window brought to `window` samples."""
        return np.pad(samples, (0, self.window - len(samples)))

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the number of samples in the header."""
        count, rate = audio_length(medium, where)
        return self._layout(resampled_length(count, rate or self.rate, self.rate), where or medium.name)

    def prepare(self, decoded: Any) -> Prepared:
        """A `Sound` -> the spectra of its windows `[T, ...]`."""
        # Channels are averaged before resampling, which then runs once.
        mono = resampled(decoded.samples.mean(axis=1), decoded.rate or self.rate, self.rate)
        starts = range(0, max(1, len(mono)), self.window)
        spectra = [self.spectrum(self.filled(mono[start : start + self.window])) for start in starts]
        return Prepared(torch.from_numpy(np.stack(spectra)))

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode, resample and cut."""
        layout = self.layout(medium, where)  # a sound that is too long is refused before it is decoded
        return replace(self.prepare(load_audio(medium, where)), layout=layout)

    def _layout(self, count: int, name: str) -> Layout:
        # An empty sound is one window of silence: every medium has at least one input.
        inputs = max(1, -(-count // self.window))
        if inputs > self.windows:
            heard = self.windows * self.window / self.rate
            raise InputError(
                f"{name} lasts {count / self.rate:.1f} s, longer than the {heard:.1f} s that are heard: set the encoder's "
                f"windows to {inputs}, or cut the sound"
            )
        seconds = tuple(number * self.window / self.rate for number in range(inputs))
        return Layout(self.tokens, None, inputs, seconds=seconds)
