"""ViPT: a second modality as gated prompts of a frozen image tower (Zhu et al. 2023, arXiv 2303.10826), for classification.

    RGB   --- embed --- norm --- + --- block 0 --- + --- block 1 --- ...  --> features --> cosine with class names
                                 |                 |
    depth --- embed' -------- gate 0 ----------- gate 1 ------------ ...

The published model is a tracker; its modality prompts are what is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits, Inject
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.pictures.images import Images


class Gate(nn.Module):
    """Both streams through 1x1 convolutions to `hidden` channels, the RGB one weighed over space (fovea), summed, and back.

    The fovea weighs a channel by the softmax over places of `sharpness` times itself. A 1x1 convolution is a Linear a patch.
    """

    def __init__(self, width: int, hidden: int = 8) -> None:
        super().__init__()
        self.rgb, self.other = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.out = nn.Linear(hidden, width)
        self.sharpness = nn.Parameter(torch.full((1,), 10.0))
        for linear in (self.rgb, self.other, self.out):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, rgb: Tensor, other: Tensor) -> Tensor:
        """Patches `[B, L, width]` of both streams to a prompt of that shape."""
        x = self.rgb(rgb)
        fovea = (self.sharpness * x).softmax(1) * x
        prompt: Tensor = self.out(fovea + self.other(other))
        return prompt


class TwoStream(nn.Module):
    """A frozen dual encoder that also sees `channels` of depth, heat or events.

    The second patch embedding starts as the first (its mean over colours where the channels differ) and learns; before
    every block a gate makes, from the image's patches and the previous prompt, each behind a learnt norm, the prompt that is
    added to the patches. With `zero_start` the gates' last layer starts at zero, where the frozen tower is untouched; the
    release starts it at random.
    """

    def __init__(self, backbone: DualEncoder, *, channels: int = 1, hidden: int = 8, zero_start: bool = True) -> None:
        super().__init__()
        if not backbone.has_blocks:
            raise InputError(
                f"ViPT puts prompts between the blocks of a vision transformer, and {backbone.identity} has a ResNet"
            )
        kernel = backbone.model.vision_model.embeddings.patch_embedding.weight.detach()
        if channels != kernel.shape[1]:
            kernel = kernel.mean(1, keepdim=True).expand(-1, channels, -1, -1)
        width = backbone.vision.width
        self.embed = nn.Conv2d(channels, width, backbone.patch_size, backbone.patch_size, bias=False)
        self.embed.weight = nn.Parameter(kernel.clone())
        gates = [Gate(width, hidden) for _ in backbone.vision.blocks]
        self.gates = nn.ModuleList(gates)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-6) for _ in gates)
        if zero_start:
            for gate in gates:
                nn.init.zeros_(gate.out.weight)
                nn.init.zeros_(gate.out.bias)

    def edits(self, second: Tensor) -> Edits:
        """Prompts of every block for a batch of the second modality `[B, channels, H, W]`."""
        stream = [self.embed(second).flatten(2).mT]  # [B, L, width]; each gate leaves its prompt for the next

        def injector(block: int, gate: nn.Module) -> Inject:
            own, below = self.norms[block], self.norms[max(block - 1, 0)]  # the release norms the image by the block below's

            def inject(states: Tensor, groups: Mapping[str, tuple[int, int]]) -> Tensor:
                start, length = groups["patch"]
                stream[0] = gate(below(states[:, start : start + length]), own(stream[0]))
                return F.pad(stream[0], (0, 0, start, states.shape[1] - start - length))

            return inject

        return Edits(inject={("vision", block): injector(block, gate) for block, gate in enumerate(self.gates)})

    def forward(self, engine: Engine, images: Images, second: Tensor, classes: Classes) -> Tensor:
        """Logits `[B, N]` of pictures and their second modality."""
        features = engine.image(images, self.edits(second)).features
        return engine.backbone.logits(features, engine.text(classes).features)
