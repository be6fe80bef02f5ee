"""Fixed sine-cosine tables that tell where a token stands."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.model.features import Grid


def line(places: Tensor, width: int) -> Tensor:
    """`[L]` -> `[L, width]`: sines, then cosines, of frequencies `10000^(-k / (width / 2))`."""
    half = width // 2
    frequencies = 10000.0 ** -(torch.arange(half, dtype=torch.float64, device=places.device) / half)
    # In double precision: angles grow with the place, and their sines lose digits in fp32.
    angles = places.double()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


def interleaved(length: int, width: int, power: float = 1.0, device: torch.device | None = None) -> Tensor:
    """`[length, width]` of places 0, 1, ...: sine beside cosine, of frequencies `10000^(-power * k / (width / 2))`."""
    half = width // 2
    frequencies = 10000.0 ** -(power * torch.arange(half, dtype=torch.float64, device=device) / half)
    angles = torch.arange(length, dtype=torch.float64, device=device)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).float()


def raster(grid: Grid, width: int, device: torch.device) -> Tensor:
    """`[rows * columns, width]`, row by row: half the channels tell the column, the other half the row."""
    rows, columns = torch.arange(grid[0], device=device), torch.arange(grid[1], device=device)
    across = line(columns, width // 2).repeat(grid[0], 1)
    down = line(rows, width // 2).repeat_interleave(grid[1], dim=0)
    return torch.cat([across, down], dim=1)
