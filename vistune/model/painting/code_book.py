"""A code book for pictures: convolutions to a grid of vectors, each replaced by the nearest of a learnt list, and back.

VQ-VAE (arXiv 1711.00937) with the factorised, normalised codes of ViT-VQGAN (arXiv 2110.04627, section 3.2): vectors of few
dimensions and of length one, so that the whole list stays in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from vistune.files import atomic_path, read_json, write_json
from vistune.model.weights.tensors import read_tensors


class Block(nn.Module):
    """Group norm, SiLU, a 3 x 3 and a 1 x 1 convolution, with a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.near, self.point = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, D, h, w]` -> `[N, D, h, w]`."""
        added: Tensor = self.point(F.silu(self.near(F.silu(self.norm(x)))))
        return x + added


class CodeBook(nn.Module):
    """Pictures `[N, 3, H, W]` in [-1, 1] <-> codes `[N, H / patch, W / patch]`, of `size` entries with `code_width` values."""

    def __init__(self, size: int = 512, code_width: int = 8, width: int = 96, depth: int = 3, patch: int = 4) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "size": size, "code_width": code_width, "width": width, "depth": depth, "patch": patch
        }  # fmt: skip
        self.patch = patch
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, patch, stride=patch), *(Block(width) for _ in range(depth)), nn.Conv2d(width, code_width, 1)
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(code_width, width, 3, padding=1),
            *(Block(width) for _ in range(depth)),
            nn.GroupNorm(8, width),
            nn.Conv2d(width, 3 * patch * patch, 3, padding=1),
            nn.PixelShuffle(patch),
        )
        self.codes = nn.Parameter(F.normalize(torch.randn(size, code_width), dim=1))

    def vectors(self, pictures: Tensor) -> Tensor:
        """The encoder's vectors `[N, code_width, h, w]`, of length one, not yet exchanged for codes."""
        return F.normalize(self.encoder(pictures), dim=1)

    def nearest(self, vectors: Tensor) -> Tensor:
        """The codes `[N, h, w]` nearest to vectors of length one."""
        return torch.einsum("ndhw,kd->nhwk", vectors, F.normalize(self.codes, dim=1)).argmax(dim=-1)

    def embed(self, codes: Tensor) -> Tensor:
        """The vectors `[N, code_width, h, w]` of codes."""
        return F.normalize(self.codes, dim=1)[codes].permute(0, 3, 1, 2)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures -> codes."""
        return self.nearest(self.vectors(pictures))

    def decode(self, codes: Tensor) -> Tensor:
        """Codes -> pictures."""
        return self.draw(self.embed(codes))

    def draw(self, vectors: Tensor) -> Tensor:
        """Vectors (of codes, or close to them) -> pictures."""
        pictures: Tensor = self.decoder(vectors)
        return pictures

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction (gradients pass the exchange as if it were none), the codes, and how far vectors are from them.

        The distance moves codes to vectors four times as fast as vectors to codes (the commitment weight of 0.25).
        """
        vectors = self.vectors(pictures)
        codes = self.nearest(vectors.detach())
        chosen = self.embed(codes)
        distance = F.mse_loss(chosen, vectors.detach()) + 0.25 * F.mse_loss(vectors, chosen.detach())
        return self.draw(vectors + (chosen - vectors).detach()), codes, distance * self.codes.shape[1]

    def save(self, folder: Path) -> None:
        """Write `config.json` (the arguments) and `model.safetensors` (bf16)."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", self.config)
        with atomic_path(folder / "model.safetensors") as file:
            save_file({name: value.bfloat16().contiguous() for name, value in self.state_dict().items()}, file)

    @classmethod
    def load(cls, folder: str | Path) -> CodeBook:
        """Read what `save` wrote, as float32 and for use, not training."""
        made = cls(**read_json(Path(folder) / "config.json"))
        made.load_state_dict(read_tensors(str(Path(folder) / "model.safetensors")))
        return made.eval().requires_grad_(False)
