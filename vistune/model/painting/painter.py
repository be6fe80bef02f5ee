"""A painter: a diffusion transformer that turns noise into the vectors of a code book's pictures, told what by text features.

Rectified flow with logit-normal times (Stable Diffusion 3, arXiv 2403.03206, sections 2, 3.1): between a picture x and noise e
the model sees z = (1 - t) x + t e and says e - x. Conditions are tokens beside the picture's (U-ViT, arXiv 2209.12152), so that
any head that gives vectors of their width can tell it what to paint; times come in by adaptive norms (DiT, arXiv 2212.09748).
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vistune.files import atomic_path, read_json, write_json


class PainterBlock(nn.Module):
    """Self-attention and a GELU network; both are scaled, shifted and gated by what the time says, gates beginning at zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """`x [N, L, D]` at `time [N, D]` -> `[N, L, D]`."""
        shift, scale, gate, shift_network, scale_network, gate_network = self.modulate(time)[:, None].chunk(6, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.query_key_value(self.norm(x) * (1 + scale) + shift).chunk(3, dim=-1)
        )
        x = x + gate * self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        added: Tensor = gate_network * self.network(self.norm(x) * (1 + scale_network) + shift_network)
        return x + added


class Painter(nn.Module):
    """Latents `[N, channels, side, side]` of unit variance, in patches of 2 x 2, under conditions `[N, K, condition_width]`."""

    def __init__(
        self,
        channels: int = 8,
        side: int = 16,
        condition_width: int = 128,
        conditions: int = 10,
        width: int = 128,
        depth: int = 5,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "channels": channels,
            "side": side,
            "condition_width": condition_width,
            "conditions": conditions,
            "width": width,
            "depth": depth,
            "heads": heads,
        }
        self.channels, self.side, self.width = channels, side, width
        self.enter = nn.Conv2d(channels, width, 2, stride=2)
        self.position = nn.Parameter(0.02 * torch.randn((side // 2) ** 2, width))
        self.condition = nn.Linear(condition_width, width)
        self.condition_position = nn.Parameter(0.02 * torch.randn(conditions, width))
        self.nothing = nn.Parameter(0.02 * torch.randn(condition_width))
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(PainterBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 4 * channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, time: Tensor, conditions: Tensor) -> Tensor:
        """The direction from picture to noise at `time [N]` in [0, 1]: `noisy` and the result are latents.

        `conditions [N, K, condition_width]` with K up to `conditions`; where a row is told nothing, `self.nothing` stands.
        """
        patches = self.enter(noisy).flatten(2).transpose(1, 2) + self.position
        told = self.condition(conditions) + self.condition_position[: conditions.shape[1]]
        when = F.silu(self.time(waves(time, self.width)) + told.mean(dim=1))
        x = torch.cat([told, patches], dim=1)
        for block in self.blocks:
            x = block(x, when)
        x = self.leave(self.norm(x[:, conditions.shape[1] :])).transpose(1, 2)
        folded: Tensor = F.pixel_shuffle(x.unflatten(2, (self.side // 2, self.side // 2)), 2)
        return folded

    @torch.no_grad()
    def paint(self, conditions: Tensor, generator: torch.Generator, steps: int = 24, guidance: float = 3.0) -> Tensor:
        """Latents for `conditions [N, K, condition_width]`, from noise by Euler steps with classifier-free guidance."""
        count = len(conditions)
        x = torch.randn(count, self.channels, self.side, self.side, generator=generator)
        untold = self.nothing.expand_as(conditions)
        times = torch.linspace(1, 0, steps + 1)
        for now, then in pairwise(times):
            both = self(x.repeat(2, 1, 1, 1), now.expand(2 * count), torch.cat([conditions, untold]))
            told, free = both.chunk(2)
            x = x + (then - now) * (free + guidance * (told - free))
        return x

    def save(self, folder: Path) -> None:
        """Write `config.json` (the arguments) and `model.safetensors` (bf16)."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", self.config)
        with atomic_path(folder / "model.safetensors") as file:
            save_file({name: value.bfloat16().contiguous() for name, value in self.state_dict().items()}, file)

    @classmethod
    def load(cls, folder: str | Path) -> Painter:
        """Read what `save` wrote, as float32 and for use, not training."""
        made = cls(**read_json(Path(folder) / "config.json"))
        made.load_state_dict(load_file(Path(folder) / "model.safetensors"))
        return made.eval().requires_grad_(False)


def waves(time: Tensor, width: int) -> Tensor:
    """Sines and cosines `[N, width]` of times in [0, 1]."""
    frequencies = 1000 * torch.exp(-math.log(10_000) * torch.arange(width // 2) / (width // 2))
    angles = time[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)
