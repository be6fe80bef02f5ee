"""A painter: a diffusion transformer that turns noise into pictures, told what by text features.

Rectified flow with logit-normal times (Stable Diffusion 3, arXiv 2403.03206, sections 2, 3.1): between a picture x and noise e
the model sees z = (1 - t) x + t e and says e - x, which it knows from what it takes for x. Conditions are tokens beside the
picture's (U-ViT, arXiv 2209.12152), so that any head that gives vectors of their width can tell it what to paint; times come in
by adaptive norms (DiT, arXiv 2212.09748).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from vistune.files import atomic_path, read_json, write_json
from vistune.model.weights.tensors import read_tensors

LEAST_NOISE = 0.05  # share of noise below which the direction is not blown up further


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
    """Pictures `[N, 3, side, side]` in [-1, 1], in square patches, under conditions `[N, K, condition_width]`."""

    def __init__(
        self,
        side: int = 64,
        patch: int = 8,
        condition_width: int = 128,
        conditions: int = 10,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "side": side,
            "patch": patch,
            "condition_width": condition_width,
            "conditions": conditions,
            "width": width,
            "depth": depth,
            "heads": heads,
        }
        self.side, self.patch, self.width = side, patch, width
        self.enter = nn.Conv2d(3, width, patch, stride=patch)
        self.position = nn.Parameter(grid_waves(side // patch, width))
        self.condition = nn.Linear(condition_width, width)
        self.condition_position = nn.Parameter(0.02 * torch.randn(conditions, width))
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(PainterBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 3 * patch * patch)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, time: Tensor, conditions: Tensor) -> Tensor:
        """The direction from picture to noise at `time [N]` in [0, 1], `[N, 3, side, side]` as `noisy` is.

        The network itself says what the picture is: pictures lie near a surface of few dimensions, which a patch's `width`
        numbers can tell, and noise does not (arXiv 2511.13720). `conditions [N, K, condition_width]` with K up to
        `conditions`.
        """
        share = time.clamp(min=LEAST_NOISE)[:, None, None, None]
        return (noisy - self.picture(noisy, time, conditions)) / share

    def picture(self, noisy: Tensor, time: Tensor, conditions: Tensor) -> Tensor:
        """What the network takes for the picture in `noisy`."""
        patches = self.enter(noisy).flatten(2).transpose(1, 2) + self.position
        told = self.condition(conditions) + self.condition_position[: conditions.shape[1]]
        when = F.silu(self.time(waves(time, self.width)) + told.mean(dim=1))
        x = torch.cat([told, patches], dim=1)
        for block in self.blocks:
            x = block(x, when)
        x = self.leave(self.norm(x[:, conditions.shape[1] :])).transpose(1, 2)
        return F.fold(x, self.side, self.patch, stride=self.patch)

    @torch.no_grad()
    def paint(self, conditions: Tensor, untold: Tensor, noise: Tensor, steps: int = 24, guidance: float = 3.0) -> Tensor:
        """Pictures of `conditions [N, K, condition_width]`, from `noise [N, 3, side, side]` by Euler steps.

        They are led `guidance` times as far as from `untold` to the conditions (classifier-free guidance, arXiv 2207.12598).
        """
        both, x = torch.cat([conditions, untold.expand_as(conditions)]), noise
        for number in range(steps):
            now = torch.full((len(both),), 1 - number / steps, device=noise.device)
            told, free = self(torch.cat([x, x]), now, both).chunk(2)
            x = x - (free + guidance * (told - free)) / steps
        return x

    def gates(self) -> list[nn.Linear]:
        """What scales, shifts and gates the blocks."""
        return [block.modulate for block in self.blocks if isinstance(block, PainterBlock)]

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
        made.load_state_dict(read_tensors(str(Path(folder) / "model.safetensors")))
        return made.eval().requires_grad_(False)


def waves(time: Tensor, width: int) -> Tensor:
    """Sines and cosines `[N, width]` of times in [0, 1]."""
    frequencies = 1000 * torch.exp(-math.log(10_000) * torch.arange(width // 2) / (width // 2))
    angles = time[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def grid_waves(grid: int, width: int) -> Tensor:
    """Sines and cosines of row and column `[grid * grid, width]`: neighbouring patches start out alike, which a small model
    otherwise spends its first tens of thousands of pictures on finding out (arXiv 2205.01580)."""
    frequencies = 100.0 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(grid)[:, None] * frequencies
    line = torch.cat([angles.sin(), angles.cos()], dim=1)
    return 0.5 * torch.cat([line[:, None].expand(-1, grid, -1), line[None].expand(grid, -1, -1)], dim=2).flatten(0, 1)
