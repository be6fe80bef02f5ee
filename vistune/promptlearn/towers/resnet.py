"""CLIP's ResNet image tower (Radford et al. 2021, section 2.4), with the parameter names of OpenAI's state dicts.

pixels -> stem of three convolutions -> four groups of bottlenecks, strides by average pooling -> attention pooling
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EXPANSION = 4
DOWNSCALE = 32


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; a stride pools before the last of them and in the shortcut."""

    def __init__(self, channels: int, planes: int, stride: int) -> None:
        super().__init__()
        out = planes * EXPANSION
        self.conv1, self.bn1 = nn.Conv2d(channels, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.conv3, self.bn3 = nn.Conv2d(planes, out, 1, bias=False), nn.BatchNorm2d(out)
        self.stride = stride
        self.downsample: nn.Module | None = None
        if stride > 1 or channels != out:
            # names of the state dict: the pooling before the convolution has the key "-1"
            parts = [("-1", nn.AvgPool2d(stride)), ("0", nn.Conv2d(channels, out, 1, bias=False)), ("1", nn.BatchNorm2d(out))]
            self.downsample = nn.Sequential(OrderedDict(parts))

    def forward(self, x: Tensor) -> Tensor:
        """`[B, channels, h, w]` to `[B, 4 planes, h / stride, w / stride]`."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = F.avg_pool2d(y, self.stride) if self.stride > 1 else y
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


class AttentionPool(nn.Module):
    """One layer of attention in which the mean position asks, over it and all places, with learnt positions."""

    def __init__(self, side: int, width: int, heads: int, out: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(side**2 + 1, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, out)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """`[B, width, h, w]` to `[B, out]`."""
        places = x.flatten(2).mT
        places = torch.cat([places.mean(1, keepdim=True), places], 1) + self.positional_embedding
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.q_proj(places[:, :1]), self.k_proj(places), self.v_proj(places))
        )
        pooled = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)[:, 0]
        out: Tensor = self.c_proj(pooled)
        return out


class ResNet(nn.Module):
    """Four groups of `layers` bottlenecks, `width` channels behind the stem, images of `size` pixels, `out` features."""

    def __init__(self, layers: tuple[int, int, int, int], width: int, heads: int, size: int, out: int) -> None:
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        channels = width
        for group, count in enumerate(layers):
            planes = width * 2**group
            blocks = []
            for i in range(count):
                blocks.append(Bottleneck(channels, planes, 2 if group and not i else 1))
                channels = planes * EXPANSION
            self.add_module(f"layer{group + 1}", nn.Sequential(*blocks))
        self.attnpool = AttentionPool(size // DOWNSCALE, channels, heads, out)

    def forward(self, pixels: Tensor) -> Tensor:
        """`[B, 3, size, size]` to features `[B, out]`."""
        x = pixels
        for i in (1, 2, 3):
            x = F.relu(self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(x)))
        x = F.avg_pool2d(x, 2)
        for group in range(1, 5):
            x = self.get_submodule(f"layer{group}")(x)
        return cast(Tensor, self.attnpool(x))


class ResNetClip(nn.Module):
    """A ResNet image tower beside a `transformers` CLIP text tower: the parts a `DualEncoder` asks for by name."""

    def __init__(self, text: Any, vision: ResNet, image_size: int, embed_dim: int) -> None:
        super().__init__()
        self.text_model, self.text_projection = text.text_model, text.text_projection
        self.vision_model = vision
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.text_config, self.image_size, self.embed_dim = text.config, image_size, embed_dim
