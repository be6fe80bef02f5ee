"""DenseCLIP: language-guided dense prediction (Rao et al. 2022, arXiv 2112.01518), on a small decoder of our own.

patches [B, h*w, E] --------------------------+---- score map [B, K, h, w] --+
class features T [K, E] --- context decoder --+                              +-- decoder --> masks [B, K, H, W]
          T + gamma * attention over patches        patches [B, E, h, w] ----+
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Context, Edits
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.images import Images
from vistune.promptlearn.method import normal

TEMPERATURE = 0.07
GAMMA = 1e-4


class ContextDecoder(nn.Module):
    """Class features look at the picture: `layers` blocks of self-attention, attention over patches and an MLP."""

    def __init__(self, dim: int, *, width: int = 256, heads: int = 4, layers: int = 3, dropout: float = 0.1) -> None:
        super().__init__()
        self.text_in = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, width))
        self.image_in = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, width))
        self.blocks = nn.ModuleList(
            nn.TransformerDecoderLayer(width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))

    def forward(self, text: Tensor, patches: Tensor) -> Tensor:
        """`text [B, K, E]`, `patches [B, L, E]` to the change of the text `[B, K, E]`."""
        x, memory = self.text_in(text), self.image_in(patches)
        for block in self.blocks:
            x = block(x, memory)
        out: Tensor = self.out(x)
        return out


class DenseClip(nn.Module):
    """Segmentation from a frozen dual encoder: learnt context, score map, two-step decoder.

    `n_ctx` vectors stand before the class name; the score map is the cosine of every projected patch with the class features
    after the context decoder, whose change is scaled by a learnt gamma that starts at 1e-4. Both towers stay frozen here
    (the paper teaches the image tower at a tenth of the rate).
    """

    def __init__(self, backbone: DualEncoder, classes: Classes, *, n_ctx: int = 8, width: int = 256) -> None:
        super().__init__()
        dim = backbone.embed_dim
        self.classes = classes
        self.grid = backbone.image_size // backbone.patch_size
        self.ctx = normal(n_ctx, backbone.text.width)
        self.decoder = ContextDecoder(dim, width=width)
        self.gamma = nn.Parameter(torch.full((dim,), GAMMA))
        self.head = nn.Sequential(
            nn.Conv2d(dim + len(classes), width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.GELU(),
            nn.ConvTranspose2d(width, width // 2, 2, stride=2),
            nn.GELU(),
            nn.Conv2d(width // 2, len(classes), 1),
        )

    def score_map(self, engine: Engine, images: Images) -> tuple[Tensor, Tensor]:
        """Cosines `[B, K, h, w]` and the unit patch features `[B, E, h, w]`."""
        hidden = engine.image(images, Edits(read={"vision": ("patch",)})).groups["patch"]
        patches = unit(engine.backbone.vision.project(hidden))
        context = Edits(contexts=(Context(self.ctx, template="{}" + self.classes.ending),))
        text = engine.text(self.classes, context).features.expand(len(patches), -1, -1)
        text = unit(text + self.gamma * self.decoder(text, patches))
        shape = (self.grid, self.grid)
        return (patches @ text.mT).mT.unflatten(2, shape), patches.mT.unflatten(2, shape)

    def forward(self, engine: Engine, images: Images) -> tuple[Tensor, Tensor]:
        """Mask logits `[B, K, 2h, 2w]` and the score map `[B, K, h, w]`."""
        scores, patches = self.score_map(engine, images)
        masks: Tensor = self.head(torch.cat([patches, scores], 1))
        return masks, scores

    def losses(self, engine: Engine, images: Images, labels: Tensor, ignore: int = 255) -> dict[str, Tensor]:
        """Cross-entropy of the masks and of the score map over temperature; `labels [B, H, W]`, where `ignore` is left out."""
        masks, scores = self(engine, images)
        size = labels.shape[-2:]
        up = [F.interpolate(x, size, mode="bilinear", align_corners=False) for x in (masks, scores / TEMPERATURE)]
        return {
            "mask": F.cross_entropy(up[0], labels, ignore_index=ignore),
            "score_map": F.cross_entropy(up[1], labels, ignore_index=ignore),
        }
