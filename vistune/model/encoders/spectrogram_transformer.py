"""The audio spectrogram transformer, AST (arXiv 2104.01778): a vision transformer on the filter bank of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import ASTFeatureExtractor, AutoModel

from vistune.data.media.spectrum import kaldi_fbank
from vistune.errors import InputError
from vistune.model.encoders._sounds import SoundEncoder
from vistune.model.features import Features
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model


class SpectrogramTransformer(SoundEncoder):
    """Windows of about 10 seconds; a token a patch of the last layer, behind its norm. `cls` keeps the two tokens in front.

    `transformers` has this relative of BEATs, but not BEATs itself.
    """

    def __init__(
        self, path: str, windows: int = 4, cls: bool = False, revision: str | None = None, load_weights: bool = True
    ) -> None:
        super().__init__()
        folder = locate(path)
        config: Any = read_config(path, folder, revision)
        if config.model_type != "audio-spectrogram-transformer":
            raise InputError(f"{path} holds a {config.model_type!r}, expected an audio-spectrogram-transformer")
        self.model: Any = read_model(AutoModel, path, folder, config, revision, load_weights)
        try:
            heard: Any = ASTFeatureExtractor.from_pretrained(folder, revision=revision)
        except OSError as error:
            raise InputError(f"{path} has no preprocessor_config.json, which says how sounds become spectra") from error
        self.mean, self.std = float(heard.mean), float(heard.std)
        self.rate, self.windows, self.cls = int(heard.sampling_rate), windows, cls
        self.frames, self.mels = int(config.max_length), int(config.num_mel_bins)
        # A frame every 10 milliseconds.
        self.window = self.frames * self.rate // 100
        self.width = int(config.hidden_size)
        rows = (self.mels - config.patch_size) // config.frequency_stride + 1
        columns = (self.frames - config.patch_size) // config.time_stride + 1
        self.tokens = rows * columns + (2 if cls else 0)

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer's layers."""
        lists = [module for module in self.model.modules() if isinstance(module, nn.ModuleList)]
        return max(lists, key=len)

    def filled(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unchanged: spectra are filled up, not samples."""
        return samples

    def spectrum(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """`[frames, mels]`, about 0 and of deviation one half, as AST was taught."""
        size = self.rate * 25 // 1000
        bank = kaldi_fbank(np.pad(samples, (0, max(0, size - len(samples)))), self.mels, self.rate)[: self.frames]
        # Zeros in the spectrum, not silence in the sound: AST was taught with zeros, and silence is far below them.
        bank = np.pad(bank, ((0, self.frames - len(bank)), (0, 0)))
        return ((bank - self.mean) / (2 * self.std)).astype(np.float32)

    def forward(self, inputs: Tensor) -> Features:
        """Spectra `[N, frames, mels]` -> `[N, patches, D]`."""
        seen = self.model(inputs)
        x = seen.last_hidden_state
        return Features(x if self.cls else x[:, 2:], None, seen.pooler_output)
