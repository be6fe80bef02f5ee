"""ImageBind (arXiv 2305.05665): pictures, films and sounds in one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from vistune.data.media.audio import audio_length, load_audio
from vistune.data.media.image import load_image
from vistune.data.media.resample import resampled, resampled_length
from vistune.data.media.spectrum import kaldi_fbank
from vistune.data.media.video import frame_count, load_video
from vistune.errors import InputError
from vistune.model.encoders._squares import RGB, fit_square, normalise
from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Layout, Prepared
from vistune.model.interchange.formats import keymap
from vistune.model.interchange.formats.imagebind import TOWERS
from vistune.model.weights.tensors import read_tensors
from vistune.sample import Media

_MEAN: RGB = (0.48145466, 0.4578275, 0.40821073)  # CLIP's
_STD: RGB = (0.26862954, 0.26130258, 0.27577711)
_RATE, _CLIP = 16_000, 32_000  # samples: a clip of sound lasts two seconds
_LEVEL, _SPREAD = -4.268, 9.138  # of the filter bank
_FRAMES = 2  # of a clip of film


class Imagebind(Encoder):
    """One tower for pictures and films, one for sounds; each of `kinds` can be read.

        image    one input, two equal frames
        video    `clips` inputs of two neighbouring frames, of 2 `clips` evenly spread (the published code draws clips of two
                 seconds and three crops of each)
        audio    `heard` inputs of two seconds, evenly spread over the sound, overlapping where it is short

    `out="pooled"` gives each input one token, the joint embedding of length one (a sound's is 20 long, as published);
    `"tokens"` the tokens of the tower, class token first. `path` is the published checkpoint, without it weights begin at
    random. Sizes are those of `imagebind_huge`.
    """

    reads: ClassVar[tuple[str, ...]] = ("image", "video", "audio")

    def __init__(
        self,
        path: str | None = None,
        kinds: Sequence[Literal["image", "video", "audio"]] = ("image", "video", "audio"),
        out: Literal["pooled", "tokens"] = "pooled",
        clips: int = 5,
        heard: int = 3,
        joint: int = 1024,
        size: int = 224,
        patch: int = 14,
        vision_width: int = 1280,
        vision_depth: int = 32,
        vision_heads: int = 16,
        audio_width: int = 768,
        audio_depth: int = 12,
        audio_heads: int = 12,
        mels: int = 128,
        frames: int = 204,
        audio_patch: int = 16,
        audio_stride: int = 10,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        if not kinds:
            raise InputError("encoders.imagebind.kinds is empty, expected some of image, video, audio")
        self.kinds, self.out, self.clips, self.heard = tuple(kinds), out, clips, heard
        self.size, self.mels, self.frames = size, mels, frames
        towers: dict[str, Tower] = {}
        if {"image", "video"} & set(kinds):
            stem: nn.Module = nn.Conv3d(3, vision_width, (_FRAMES, patch, patch), (_FRAMES, patch, patch), bias=False)
            towers["vision"] = Tower(stem, (size // patch) ** 2, vision_width, vision_depth, vision_heads, joint, sound=False)
        if "audio" in kinds:
            stem = nn.Conv2d(1, audio_width, audio_patch, audio_stride, bias=False)
            places = ((mels - audio_patch) // audio_stride + 1) * ((frames - audio_patch) // audio_stride + 1)
            towers["audio"] = Tower(stem, places, audio_width, audio_depth, audio_heads, joint, sound=True)
        self.towers = nn.ModuleDict(towers)
        self._tower = {"image": "vision", "video": "vision", "audio": "audio"}
        widths = {joint if out == "pooled" else tower.width for tower in towers.values()}
        if len(widths) > 1:
            raise InputError("encoders.imagebind.out is 'tokens', but its towers differ in width: give kinds of one tower")
        self.width = widths.pop()
        # Only weights that a file holds may be left out of checkpoints.
        self.begins = "random" if path is None else "read"
        if path is not None and load_weights:
            state = self.state_dict()
            self.load_state_dict(state | keymap.read(read_tensors(path), state, TOWERS, ("modality_*",), path))

    @property
    def blocks(self) -> nn.ModuleList:
        """Those of all towers."""
        return nn.ModuleList([block for tower in self.towers.values() for block in tower.blocks])  # type: ignore[union-attr]

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the kind, and the length in the header."""
        if medium.kind not in self.kinds:
            raise InputError(f"{where or medium.name}: encoders.imagebind.kinds are {', '.join(self.kinds)}, not {medium.kind}")
        tower = self.towers[self._tower[medium.kind]]
        assert isinstance(tower, Tower)
        one = Layout(1 if self.out == "pooled" else tower.places + 1)
        if medium.kind == "image":
            return one
        if medium.kind == "video":
            return replace(one, inputs=min(self.clips, (frame_count(medium, where) + 1) // _FRAMES))
        count, rate = audio_length(medium, where)
        starts = self._starts(resampled_length(count, rate or _RATE, _RATE))
        return replace(one, inputs=len(starts), seconds=tuple(start / _RATE for start in starts))

    def prepare(self, decoded: Any) -> Prepared:
        """A picture -> `[1, 3, 2, size, size]`."""
        square, geometry = fit_square(decoded, self.size, "crop", _MEAN)
        # A picture is a film of two equal frames: the stem is a convolution over time.
        return Prepared(normalise(square, _MEAN, _STD)[None, :, None].expand(-1, -1, _FRAMES, -1, -1), geometry)

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode and prepare a medium of any of the kinds."""
        layout = self.layout(medium, where)
        if medium.kind == "image":
            return replace(self.prepare(load_image(medium, where)), layout=layout)
        if medium.kind == "video":
            frames = list(load_video(medium, _FRAMES * layout.inputs, where).frames)
            frames += frames[-1:] * (-len(frames) % _FRAMES)
            seen = torch.stack([self.prepare(Image.fromarray(frame)).inputs[0, :, 0] for frame in frames])
            return Prepared(seen.unflatten(0, (-1, _FRAMES)).transpose(1, 2), layout=layout)
        sound = load_audio(medium, where)
        mono = resampled(sound.samples.mean(axis=1), sound.rate or _RATE, _RATE)
        return Prepared(
            torch.stack([self._bank(mono[start : start + _CLIP]) for start in self._starts(len(mono))]), layout=layout
        )

    def _starts(self, count: int) -> list[int]:
        """Where the clips of a sound of `count` samples begin."""
        last = max(0, count - _CLIP)
        # Evenly from the first sample to the last clip that fits; in a short sound all clips begin near its start and
        # overlap.
        return [last * number // max(1, self.heard - 1) for number in range(self.heard)]

    def _bank(self, samples: Any) -> Tensor:
        """A clip `[N]` -> `[1, mels, frames]`."""
        # The filter bank needs one whole frame of 25 milliseconds.
        samples = np.pad(samples, (0, max(0, _RATE // 40 - len(samples))))
        bank = kaldi_fbank((samples - samples.mean()).astype(np.float32), self.mels, _RATE).T[:, : self.frames]
        padded = np.pad(bank, ((0, 0), (0, self.frames - bank.shape[1])))
        return torch.from_numpy((padded - _LEVEL) / _SPREAD).float()[None]

    def forward(self, inputs: Tensor) -> Features:
        """Pictures or clips of films `[N, 3, 2, size, size]`."""
        return self.see(inputs, "image")

    def see(self, inputs: Tensor, kind: str) -> Features:
        """N inputs of a kind -> `[N, 1, joint]`, or the tower's tokens `[N, 1 + places, D]`."""
        tower = self.towers[self._tower[kind]]
        assert isinstance(tower, Tower)
        x = tower(inputs)
        joint = tower.join(x)
        return Features(joint[:, None] if self.out == "pooled" else x, None, joint)


class Tower(nn.Module):
    """A vision transformer whose class token, projected, lies in the joint space. That of `sound` differs in three places."""

    def __init__(self, stem: nn.Module, places: int, width: int, depth: int, heads: int, joint: int, sound: bool) -> None:
        super().__init__()
        self.width, self.places = width, places
        self.stem = stem
        self.norm_stem = nn.LayerNorm(width) if sound else nn.Identity()
        self.cls = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positions = nn.Parameter(torch.randn(places + 1, width) * width**-0.5)
        self.norm_in = nn.Identity() if sound else nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(Block(width, heads, extra=sound) for _ in range(depth))
        self.norm_out = nn.LayerNorm(width, eps=1e-6)
        self.proj = nn.Linear(width, joint, bias=False)
        self.register_buffer("log_scale", torch.tensor(20.0 if sound else 1.0).log())

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs of the stem -> `[N, 1 + places, D]`, the class token first."""
        patches = self.norm_stem(self.stem(inputs).flatten(2).transpose(1, 2))
        x = torch.cat([self.cls.expand(len(patches), 1, -1), patches], dim=1) + self.positions
        x = self.norm_in(x)
        for block in self.blocks:
            x = block(x)
        read: Tensor = x
        return read

    def join(self, x: Tensor) -> Tensor:
        """Tokens -> the joint embedding `[N, joint]`, of length one times the scale (100 at most)."""
        scale: Any = self.log_scale
        joint: Tensor = F.normalize(self.proj(self.norm_out(x)[:, 0]), dim=-1) * scale.exp().clamp(max=100)
        return joint


class Block(nn.Module):
    """Pre-norm attention and a GELU network; with `extra`, a learned key and value stand beside the tokens'."""

    def __init__(self, width: int, heads: int, extra: bool) -> None:
        super().__init__()
        self.norm_attention, self.norm_network = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = nn.MultiheadAttention(width, heads, add_bias_kv=extra, batch_first=True)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """`[N, L, D]` -> `[N, L, D]`."""
        normed = self.norm_attention(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        added: Tensor = self.network(self.norm_network(x))
        return x + added
