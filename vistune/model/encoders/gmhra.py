"""A picture tower that sees films: a video token gathers from all frames (GMHRA), as in VideoChat (arXiv 2305.06355).

    layer l      every frame on its own, as in the tower
    behind it    video token += attention(video token -> all tokens of all frames), then a network of its own

All frames' tokens leave the tower, the video token behind them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders._clips import ClipEncoder
from vistune.model.features import Features


class Gmhra(ClipEncoder):
    """Global blocks behind the last `layers` layers of the tower; at the beginning they leave the video token as it is.

    `local` adds convolutions over time in front of attention and network of every layer, at 1 / `reduction` of the width, and
    `halve` takes patches of three frames, two frames apart, as the first version of the published code can.
    """

    def __init__(
        self,
        path: str,
        frames: int = 8,
        layers: int = 8,
        local: bool = False,
        reduction: float = 1.5,
        halve: bool = False,
        array_rate: float | None = None,
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__(path, frames, 1, array_rate, revision, load_weights)
        config = self.model.config
        depth = len(self.blocks)
        if not 1 <= layers <= depth:
            raise InputError(f"encoders.gmhra.layers is {layers}, but {path} has {depth}")
        self.first = depth - layers
        self.video = nn.Parameter(torch.zeros(self.width))
        self.globals = nn.ModuleList(
            GlobalBlock(self.width, config.num_attention_heads, config.intermediate_size) for _ in range(layers)
        )
        self.locals = nn.ModuleList(LocalBlock(self.width, reduction) for _ in range(2 * depth if local else 0))
        self.halved: nn.Conv3d | None = None
        if halve:
            side = config.patch_size
            self.halved = nn.Conv3d(3, self.width, (3, side, side), (2, side, side), (1, 0, 0))
            self.model.embeddings.patch_embedding = nn.Identity()

    def tokens(self, frames: int) -> int:
        """Patches and class token of every frame, and the video token."""
        steps = frames if self.halved is None else (frames + 1) // 2
        return steps * (self.patches + 1) + 1

    def forward(self, inputs: Tensor) -> Features:
        """Clips `[N, T, 3, H, W]` -> `[N, T (1 + patches) + 1, D]`."""
        clips = len(inputs)
        x = self._embed(inputs)
        frames = len(x) // clips
        video = self.video.expand(clips, 1, -1)
        for number, layer in enumerate(self.blocks):
            x = self._layer(number, layer, x, frames)
            if number >= self.first:
                video = self.globals[number - self.first](video, x, frames)
        return Features(torch.cat([x.reshape(clips, -1, self.width), video], dim=1), None, video[:, 0])

    def _embed(self, inputs: Tensor) -> Tensor:
        """`[N, T, 3, H, W]` -> `[N T', 1 + patches, D]` with places."""
        if self.halved is None:
            embedded: Tensor = self.norm_in(self.model.embeddings(inputs.flatten(0, 1)))
            return embedded
        patches = self.halved(inputs.transpose(1, 2)).transpose(1, 2).flatten(0, 1).flatten(2).transpose(1, 2)
        first, places = self.front()
        placed: Tensor = self.norm_in(torch.cat([first.expand(len(patches), 1, -1), patches], dim=1) + places)
        return placed

    def _layer(self, number: int, layer: nn.Module, x: Tensor, frames: int) -> Tensor:
        if not len(self.locals):
            return self.through(layer, x)
        x = self.locals[2 * number](x, frames)
        # The layer is taken apart, since the local blocks stand inside it, in front of attention and network.
        x = x + layer.self_attn(layer.layer_norm1(x))[0]  # type: ignore[operator]
        x = self.locals[2 * number + 1](x, frames)
        added: Tensor = layer.mlp(layer.layer_norm2(x))  # type: ignore[operator]
        return x + added


class GlobalBlock(nn.Module):
    """The video token attends to all tokens of all frames, whose patches know their neighbours in space and time."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.near = nn.Conv3d(width, width, 3, padding=1, groups=width)
        self.norm_video, self.norm_frames, self.norm_network = (nn.LayerNorm(width) for _ in range(3))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        last = nn.Linear(hidden, width)
        self.network = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), last)
        for zero in (*self.attention.out_proj.parameters(), *last.parameters()):  # the block begins as the identity
            nn.init.zeros_(zero)

    def forward(self, video: Tensor, frames: Tensor, count: int) -> Tensor:
        """`video [N, 1, D]`, `frames [N count, 1 + patches, D]` -> `[N, 1, D]`."""
        frames = self.norm_frames(frames)
        # The convolution runs over patches only; padding puts a zero in front, so that class tokens stay as they are.
        keys = (frames + F.pad(over_time(frames[:, 1:], count, self.near), (0, 0, 1, 0))).reshape(
            len(video), -1, video.shape[2]
        )
        video = video + self.attention(self.norm_video(video), keys, keys, need_weights=False)[0]
        added: Tensor = self.network(self.norm_network(video))
        return video + added


class LocalBlock(nn.Module):
    """Batch norm, and a convolution over three frames at each place, between two narrowing linear layers; a residual."""

    def __init__(self, width: int, reduction: float) -> None:
        super().__init__()
        narrow = int(width // reduction)
        self.layers = nn.Sequential(
            nn.BatchNorm3d(width),
            nn.Conv3d(width, narrow, 1),
            nn.Conv3d(narrow, narrow, (3, 1, 1), padding=(1, 0, 0), groups=narrow),
            last := nn.Conv3d(narrow, width, 1),
        )
        for zero in last.parameters():  # the block begins as the identity
            nn.init.zeros_(zero)

    def forward(self, x: Tensor, count: int) -> Tensor:
        """`[N count, 1 + patches, D]`, the class tokens unchanged."""
        return x + F.pad(over_time(x[:, 1:], count, self.layers), (0, 0, 1, 0))


def over_time(patches: Tensor, count: int, layer: nn.Module) -> Tensor:
    """Square patches of `count` frames a film, `[N count, P, D]`, through a layer over `[N, D, T, H, W]`, and back."""
    side = int(patches.shape[1] ** 0.5)
    volume = patches.unflatten(0, (-1, count)).unflatten(2, (side, side)).permute(0, 4, 1, 2, 3)
    seen: Tensor = layer(volume).permute(0, 2, 3, 4, 1)
    return seen.flatten(2, 3).flatten(0, 1)
