"""A picture tower over patches of several frames: the film branch of EmbodiedGPT (arXiv 2305.15021, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders._clips import ClipEncoder
from vistune.model.features import Features


class Tubelets(ClipEncoder):
    """`frames` frames are cut into tubelets of `depth` frames and a patch's side, by a convolution in space and time.

    All tubelets of a film and a class token go through the tower together, with learned places of their own; those of a
    shorter film are the first ones. Places and convolution begin as the tower's: a tubelet of equal frames looks like a patch.
    The last layer is followed by the tower's norm; `keep` names hidden states (0: the embeddings) that `class_taps` reads.
    """

    def __init__(
        self,
        path: str,
        frames: int = 8,
        depth: int = 2,
        keep: Sequence[int] = (),
        array_rate: float | None = None,
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__(path, frames, depth, array_rate, revision, load_weights)
        if wrong := [number for number in keep if not 0 <= number <= len(self.blocks)]:
            raise InputError(f"encoders.tubelets.keep names the state {wrong[0]}, but {path} has 0 to {len(self.blocks)}")
        self.keep = frozenset(keep)
        embeddings = self.model.embeddings
        picture = embeddings.patch_embedding
        self.convolution = nn.Conv3d(3, self.width, (depth, *picture.kernel_size), (depth, *picture.stride))
        with torch.no_grad():
            # The picture's kernel spread evenly over the frames: equal frames then give what the picture tower gave.
            self.convolution.weight.copy_(picture.weight[:, :, None].expand_as(self.convolution.weight) / depth)
            begun = torch.zeros(self.width) if picture.bias is None else picture.bias
            self.convolution.bias.copy_(begun)  # type: ignore[union-attr]
            cls, places = self.front()
            repeated = places[:, 1:].repeat(1, frames // depth, 1)
            self.places = nn.Parameter(torch.cat([places[:, :1], repeated], dim=1))
            self.cls = nn.Parameter(cls.clone())
        self.model.embeddings = nn.Identity()
        self.model.post_layernorm = nn.LayerNorm(self.width, eps=self.model.config.layer_norm_eps)

    def tokens(self, frames: int) -> int:
        """A token a tubelet, and the class token."""
        return frames // self.step * self.patches + 1

    def forward(self, inputs: Tensor) -> Features:
        """Clips `[N, T, 3, H, W]` -> `[N, 1 + T / depth * patches, D]`, the class token first."""
        patches = self.convolution(inputs.transpose(1, 2)).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(patches), -1, -1), patches], dim=1)
        x = self.norm_in(x + self.places[:, : x.shape[1]])
        states = {0: x}
        for number, layer in enumerate(self.blocks, 1):
            x = self.through(layer, x)
            states[number] = x
        x = self.model.post_layernorm(x)
        return Features(x, None, x[:, 0], {number: states[number] for number in self.keep} or None)
