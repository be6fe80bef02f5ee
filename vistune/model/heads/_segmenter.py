"""A promptable segmenter of `transformers` (SAM, arXiv 2304.02643), prompted by embeddings in place of clicks."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from transformers import SamConfig, SamModel

from vistune.errors import InputError
from vistune.model.encoders._squares import RGB, normalise
from vistune.model.encoders._statistics import statistics
from vistune.model.features import Geometry, Prepared
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in 0..1, as SAM was taught


class Segmenter(nn.Module):
    """The parts of a `SamModel` that prompts of embeddings need.

    `encoder`, never trained here, sees a picture once; `decoder` makes a mask of each prompt.
    """

    def __init__(self, model: Any, statistics: tuple[RGB, RGB] = (_MEAN, _STD)) -> None:
        super().__init__()
        self.statistics = statistics
        self.size = int(model.config.vision_config.image_size)
        self.width = int(model.config.prompt_encoder_config.hidden_size)
        self.encoder, self.decoder = model.vision_encoder, model.mask_decoder
        self.no_mask = nn.Parameter(model.prompt_encoder.no_mask_embed.weight[0].detach().clone())
        # Random Fourier features of where each cell of the embedding lies: constants of the checkpoint.
        self.register_buffer("places", model.get_image_wide_positional_embeddings().detach().clone())

    @classmethod
    def read(cls, path: str, revision: str | None = None, load_weights: bool = True) -> Segmenter:
        """From a SAM's directory or hub id."""
        folder = locate(path)
        config = read_config(path, folder, revision)
        if not isinstance(config, SamConfig):
            raise InputError(
                f"{path} holds a {config.model_type!r}; promptable segmenters known here are SAM's (model_type 'sam')"
            )
        model = read_model(SamModel, path, folder, config, revision, load_weights)
        return cls(model, statistics(folder, revision))

    def prepare(self, image: Image.Image) -> Prepared:
        """Scaled to `size` by the longer side, padded at the bottom and on the right. `extra["sizes"]` are (height, width) of
        the scaled picture and of the original."""
        width, height = image.size
        scale = self.size / max(width, height)
        # Half up, as SAM's own transform rounds; Python's `round` goes to even and would differ by a pixel.
        wide, high = int(width * scale + 0.5), int(height * scale + 0.5)
        scaled = image if (wide, high) == image.size else image.resize((wide, high), Image.Resampling.BILINEAR)
        # Normalised first and padded with zeros after, so that padding has the mean colour: SAM was taught so.
        padded = F.pad(normalise(scaled, *self.statistics), (0, self.size - wide, 0, self.size - high))
        sizes = torch.tensor([[high, wide], [height, width]])
        return Prepared(padded[None], Geometry((wide / self.size, high / self.size)), extra={"sizes": sizes})

    @torch.no_grad()
    def embed(self, pixels: Tensor) -> Tensor:
        """`[N, 3, size, size]` -> picture embeddings `[N, C, h, w]`."""
        embedding: Tensor = self.encoder(pixels)[0]
        return embedding

    def masks(self, embedding: Tensor, prompts: Tensor) -> Tensor:
        """Low-resolution logits `[M, h, w]` of one picture, `[C, h, w]`, and its prompts `[M, C]`: one decoder pass for all."""
        dense = self.no_mask.view(1, -1, 1, 1).expand(1, -1, *embedding.shape[1:])
        # All prompts of a picture as one batch of points: the decoder's two-way attention keeps them apart.
        low, _ = self.decoder(embedding[None], self.places, prompts[None, :, None], dense, multimask_output=False)
        return torch.as_tensor(low[0, :, 0])

    def enlarge(self, low: Tensor, sizes: Tensor) -> Tensor:
        """Logits `[M, h, w]` at the picture's own size: up to the square, the padding cut off, then to the original."""
        (high, wide), original = sizes[0].tolist(), sizes[1].tolist()
        square = F.interpolate(low[:, None], (self.size, self.size), mode="bilinear", align_corners=False)
        return F.interpolate(square[..., :high, :wide], original, mode="bilinear", align_corners=False)[:, 0]
