"""DenseCLIP: language-guided dense prediction (Rao et al. 2022, arXiv 2112.01518), on a small decoder of our own.

patches [B, h*w, E] --------------------------+---- score map [B, K, h, w] --+
class features T [K, E] --- context decoder --+                              +-- decoder --> masks [B, K, H, W]
   T + gamma * attention over the picture           patches [B, E, h, w] ----+
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Context, Edits
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.method import normal
from vistune.promptlearn.pictures.images import Images

TEMPERATURE = 0.07
GAMMA = 1e-4


class Attend(nn.Module):
    """Attention without biases on query, key and value."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.proj, self.dropout = nn.Linear(width, width), nn.Dropout(dropout)
        self.heads = heads

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """`x [B, K, width]` over `memory [B, L, width]`."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.q_proj(x), self.k_proj(memory), self.v_proj(memory))
        )
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Tensor = self.dropout(self.proj(attended))
        return out


class DecoderLayer(nn.Module):
    """Self-attention, attention over the picture, MLP: each behind a norm, each added."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.self_attn, self.cross_attn = Attend(width, heads, dropout), Attend(width, heads, dropout)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """`x [B, K, width]`, changed."""
        normed = self.norm1(x)
        x = x + self.self_attn(normed, normed)
        x = x + self.cross_attn(self.norm2(x), memory)
        out: Tensor = x + self.dropout(self.mlp(self.norm3(x)))
        return out


class ContextDecoder(nn.Module):
    """Class features look at the picture: `layers` blocks of self-attention, attention over its features and an MLP."""

    def __init__(self, dim: int, *, width: int = 256, heads: int = 4, layers: int = 3, dropout: float = 0.1) -> None:
        super().__init__()
        self.memory_proj = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, width), nn.LayerNorm(width))
        self.text_proj = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, width))
        self.decoder = nn.ModuleList(DecoderLayer(width, heads, dropout) for _ in range(layers))
        self.out_proj = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, text: Tensor, memory: Tensor) -> Tensor:
        """`text [B, K, E]`, `memory [B, 1 + L, E]` (the picture's feature, then its patches) to the change `[B, K, E]`."""
        x, memory = self.text_proj(text), self.memory_proj(memory)
        for block in self.decoder:
            x = block(x, memory)
        out: Tensor = self.out_proj(x)
        return out


class DenseClip(nn.Module):
    """Segmentation from a frozen dual encoder: learnt context, score map, two-step decoder.

    `n_ctx` vectors stand before the class name, without a full stop; the score map is the cosine of every projected patch with
    the class features after the context decoder, whose change is scaled by a learnt gamma that starts at 1e-4. The decoder
    reads raw features: of the texts, of the whole picture and of its patches. Both towers stay frozen here (the paper
    teaches the image tower at a tenth of the rate), and the decoder of masks is a small one of our own (the paper's is a
    feature pyramid). Raises `InputError` for an image tower without a class token.
    """

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        n_ctx: int = 8,
        width: int = 256,
        heads: int = 4,
        layers: int = 3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if not (backbone.has_blocks and backbone.has_class_token):
            raise InputError(f"DenseCLIP needs an image tower of patches with a class token, and {backbone.identity} has none")
        dim = backbone.embed_dim
        self.classes = classes
        self.grid = backbone.image_size // backbone.patch_size
        self.ctx = normal(n_ctx, backbone.text.width)
        self.decoder = ContextDecoder(dim, width=width, heads=heads, layers=layers, dropout=dropout)
        self.gamma = nn.Parameter(torch.full((dim,), GAMMA))
        self.head = nn.Sequential(
            nn.Conv2d(dim + len(classes), width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.GELU(),
            nn.ConvTranspose2d(width, width // 2, 2, stride=2),
            nn.GELU(),
            nn.Conv2d(width // 2, len(classes), 1),
        )

    def class_features(self, engine: Engine) -> Tensor:
        """Raw features `[K, E]` of the prompted classes."""
        return engine.text(self.classes, Edits(contexts=(Context(self.ctx, template="{}"),))).features

    def score_map(self, engine: Engine, images: Images) -> tuple[Tensor, Tensor]:
        """Cosines `[B, K, h, w]` and the unit patch features `[B, E, h, w]`."""
        encoded = engine.image(images, Edits(read={"vision": ("patch",)}))
        patches = engine.backbone.vision.project(encoded.groups["patch"])
        memory = torch.cat([encoded.pooled[:, None], patches], 1)
        text = self.class_features(engine).expand(len(patches), -1, -1)
        # Gamma begins near zero: at first the score map is CLIP's own, and the untaught decoder cannot spoil it.
        text = unit(text + self.gamma * self.decoder(text, memory))
        shape, patches = (self.grid, self.grid), unit(patches)
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
