"""The encoder of Whisper (arXiv 2212.04356), by hub id or local directory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from vistune.data.media.spectrum import whisper_mel
from vistune.errors import InputError
from vistune.model.encoders._sounds import SoundEncoder
from vistune.model.features import Features
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model

_HOP = 160
_INSIDE = {r"^(model\.)?encoder\.": ""}  # names in the directory of a whole model


class Whisper(SoundEncoder):
    """Windows of 30 seconds (whatever `path` was taught with), 50 tokens a second of the last layer, behind its norm.

    `windows` bounds the length of a sound.
    """

    def __init__(self, path: str, windows: int = 4, revision: str | None = None, load_weights: bool = True) -> None:
        super().__init__()
        folder = locate(path)
        config = read_config(path, folder, revision)
        if config.model_type != "whisper":
            raise InputError(f"{path} holds a {config.model_type!r}, expected a whisper")
        names = {"key_mapping": _INSIDE} if load_weights else {}
        self.model: Any = read_model(WhisperEncoder, path, folder, config, revision, load_weights, **names)
        self.width, self.mels = int(config.d_model), int(config.num_mel_bins)
        self.rate, self.windows = 16_000, windows
        self.tokens = int(config.max_source_positions)
        self.window = 2 * self.tokens * _HOP  # the second convolution halves the frames

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer's layers."""
        layers: nn.ModuleList = self.model.layers
        return layers

    def spectrum(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """`[mels, frames]`."""
        return whisper_mel(samples, self.mels)

    def forward(self, inputs: Tensor) -> Features:
        """Spectra `[N, mels, frames]` -> `[N, frames / 2, D]`."""
        return Features(self.model(inputs).last_hidden_state)
