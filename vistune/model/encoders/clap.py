"""The sound tower of CLAP (arXiv 2211.06687), by hub id or local directory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import ClapAudioModel, ClapFeatureExtractor

from vistune.data.media.spectrum import clap_mel
from vistune.errors import InputError
from vistune.model.encoders._sounds import SoundEncoder
from vistune.model.features import Features
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model

_INSIDE = {r"^audio_model\.": ""}


class Clap(SoundEncoder):
    """Windows of 10 seconds; a token for each place of the last feature map, its mean as the summary.

    A shorter sound is repeated, then filled up with silence, as CLAP was taught. Longer ones are windows one behind the other:
    the fusion of long sounds into one input is not used, also where `path` has it.
    """

    def __init__(self, path: str, windows: int = 4, revision: str | None = None, load_weights: bool = True) -> None:
        super().__init__()
        folder = locate(path)
        config: Any = read_config(path, folder, revision)
        config = config.audio_config if "audio_config" in config.sub_configs else config
        if config.model_type != "clap_audio_model":
            raise InputError(f"{path} holds a {config.model_type!r}, expected a clap")
        names = {"key_mapping": _INSIDE} if load_weights else {}
        self.model: Any = read_model(ClapAudioModel, path, folder, config, revision, load_weights, **names)
        try:
            heard: Any = ClapFeatureExtractor.from_pretrained(folder, revision=revision)
        except (OSError, TypeError) as error:
            raise InputError(f"{path} has no preprocessor_config.json, which says how sounds become spectra") from error
        self.spectra = {
            "mels": heard.feature_size,
            "size": heard.fft_window_size,
            "hop": heard.hop_length,
            "rate": heard.sampling_rate,
            "low": heard.frequency_min,
            "high": heard.frequency_max,
        }
        self.rate, self.window, self.windows = int(heard.sampling_rate), int(heard.nb_max_samples), windows
        # Each stage but the first halves the map (Swin): what is left of the square spectrogram's side.
        side = config.spec_size // (config.patch_stride[0] * 2 ** (len(config.depths) - 1))
        self.tokens, self.fused = side * side, bool(config.enable_fusion)
        self.width = int(config.patch_embeds_hidden_size * 2 ** (len(config.depths) - 1))

    @property
    def blocks(self) -> nn.ModuleList:
        """The stages."""
        layers: nn.ModuleList = self.model.audio_encoder.layers
        return layers

    def filled(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Repeated as often as it fits whole, then silence."""
        # CLAP's "repeatpad": as often as it fits whole, since a cut repetition would sound like a click.
        return super().filled(np.tile(samples, max(1, self.window // max(1, len(samples)))))

    def spectrum(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """`[1, frames, mels]`, four times where the tower takes four views."""
        spectrum = clap_mel(samples, **self.spectra)[None]
        return np.repeat(spectrum, 4, axis=0) if self.fused else spectrum

    def forward(self, inputs: Tensor) -> Features:
        """Spectra `[N, 1, frames, mels]` -> `[N, places, D]`."""
        # Nothing is "longer": windows are cut beforehand, so the fusion of long sounds has nothing to fuse.
        short = torch.zeros(len(inputs), 1, dtype=torch.bool, device=inputs.device)
        seen = self.model(inputs, is_longer=short)
        return Features(seen.last_hidden_state.flatten(2).transpose(1, 2), None, seen.pooler_output)
