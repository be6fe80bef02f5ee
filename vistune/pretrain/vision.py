"""`vistune pretrain vision`: a small CLIP taught on scenes — contrast with captions, and dense labels under each patch.

The dense heads read the last layer but one, the layer LLaVA takes its visual features from (arXiv 2304.08485, section 4.1);
the contrast with captions (CLIP, arXiv 2103.00020) reads the pooled last layer.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTextConfig, CLIPVisionConfig, PreTrainedTokenizerFast

from vistune.model.painting.painter import grid_waves
from vistune.pretrain.dense import CELL, DenseHeads, dense_targets
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.phrases import caption
from vistune.pretrain.tokenizer import train_bpe
from vistune.world import palette
from vistune.world.scene import KINDS, Scene, make_scene
from vistune.world.scene import NAMES as NAMES_BY_KIND

NAMES = [name for kind in KINDS for name in NAMES_BY_KIND[kind]]
COLOURS = palette.NAMES
IMAGE_SIZE = 64
PATCH_SIZE = 8
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
VALIDATION_SCENES = 256
# Curriculum, as shares of the steps: single objects first, then scenes; most of the time only some patches are seen, which
# costs a third (FLIP, arXiv 2212.00794), at the end all of them, as whoever uses the tower will.
CROWD_FROM = 0.05
WHOLE_FROM = 0.75
KEPT = 24


def clip_tokenizer() -> PreTrainedTokenizerFast:
    """CLIP's conventions: beginning and end around every text, the end token the largest id and the padding."""
    rng = np.random.default_rng(0)
    texts = [caption(make_scene(seed, "train"), rng) for seed in range(2000)]
    return train_bpe(
        texts,
        size=512,
        special=["<|startoftext|>", "<|endoftext|>"],
        add_end=True,
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        max_length=77,
    )


def clip_config(tokenizer: PreTrainedTokenizerFast) -> CLIPConfig:
    """2.7 M parameters that see, 0.7 M that read."""
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=512,
        hidden_act="gelu",  # one kernel; CLIP's own quick_gelu is three, and a third of the time on a CPU
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=128,
        **ids,
    )
    vision = CLIPVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        hidden_act="gelu",
        num_hidden_layers=6,
        num_attention_heads=6,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        projection_dim=128,
    )
    return CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=128)


class Pretraining(nn.Module):
    """A CLIP and its dense heads; `losses` for a batch of scenes."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.clip = CLIPModel(clip_config(tokenizer))
        embeddings = self.clip.vision_model.embeddings
        embeddings.position_embedding.weight.data[1:] = grid_waves(IMAGE_SIZE // PATCH_SIZE, 192)
        self.dense = DenseHeads(192, len(NAMES), len(COLOURS), cells=(3 * PATCH_SIZE // CELL) ** 2)

    def see(self, scenes: list[Scene], kept: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Patch features `[B, L, 192]` half-way up and of the last layer but one, and picture embeddings `[B, 128]`.

        With `kept [B, K]` the tower sees only these patches, at their places: L is K.
        """
        tower = self.clip.vision_model
        pixels = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2).float() / 255
        x = tower.embeddings((pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1))
        if kept is not None:
            places = torch.cat([torch.zeros(len(kept), 1, dtype=torch.long), kept + 1], dim=1)
            x = x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))
        layers = [tower.pre_layrnorm(x)]
        for layer in tower.encoder.layers:
            layers.append(layer(layers[-1], attention_mask=None))
        pooled = self.clip.visual_projection(tower.post_layernorm(layers[-1][:, 0]))
        return layers[len(layers) // 2][:, 1:], layers[-2][:, 1:], F.normalize(pooled, dim=-1)

    def read(self, texts: list[str]) -> Tensor:
        """Normalised text embeddings `[B, 128]`."""
        batch = self.tokenizer(texts, return_tensors="pt", padding=True, truncation=True)
        pooled = self.clip.text_model(batch["input_ids"], attention_mask=batch["attention_mask"]).pooler_output
        return F.normalize(self.clip.text_projection(pooled), dim=-1)

    def losses(self, scenes: list[Scene], rng: np.random.Generator, keep: int | None = None) -> dict[str, Tensor]:
        """`name`, `colour`, `box`, `ink` (dense) and `contrast` (both directions; equal captions are not negatives).

        With `keep`, only so many patches of each scene are seen and asked about, the objects' before the background's.
        """
        targets, kept = dense_targets(scenes, IMAGE_SIZE // PATCH_SIZE, NAMES, COLOURS), None
        if keep is not None:
            kept = targets.crowded_first(keep, torch.Generator().manual_seed(int(rng.integers(2**31))))
            targets = targets.at(kept)
        early, late, pictures = self.see(scenes, kept)
        losses: dict[str, Tensor] = self.dense(early, late, targets)
        texts = [caption(scene, rng) for scene in scenes]
        logits = self.clip.logit_scale.exp().clamp(max=100) * pictures @ self.read(texts).T
        same = torch.tensor([[a == b for b in texts] for a in texts])
        logits = logits.masked_fill(same & ~torch.eye(len(texts), dtype=torch.bool), float("-inf"))
        target = torch.arange(len(texts))
        losses["contrast"] = 0.25 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
        return losses

    @torch.no_grad()
    def spread(self) -> float:
        """Standard deviation of the features of the last layer but one."""
        return float(self.see([make_scene(seed, "validation") for seed in range(VALIDATION_SCENES)])[1].std())

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Accuracy per object on scans of validation writers."""
        scenes = [make_scene(seed, "validation") for seed in range(VALIDATION_SCENES)]
        _, patches, _ = self.see(scenes)
        targets = dense_targets(scenes, IMAGE_SIZE // PATCH_SIZE, NAMES, COLOURS)
        hits = self.dense.accuracy(patches, scenes, targets, NAMES)
        return {key: hit / total for key, (hit, total) in hits.items()}


def pretrain_vision(
    out: Path, steps: int, batch: int = 32, lr: float = 1.5e-3, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the encoder, write a Hugging Face CLIP directory (bf16) into `out/clip`, and return its validation scores."""
    torch.manual_seed(seed)
    model = Pretraining(clip_tokenizer())

    def losses_at(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([seed, step])
        count = 1 if step < CROWD_FROM * steps else None
        first = (seed * steps + step) * batch
        keep = KEPT if step < WHOLE_FROM * steps else None
        return model.losses([make_scene(first + index, "train", count=count) for index in range(batch)], rng, keep)

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.parameters(), lr)], until)
    scale_down(model.clip, model.spread())
    save_clip(model.clip, model.tokenizer, out / "clip")
    return scores


@torch.no_grad()
def scale_down(clip: CLIPModel, spread: float) -> None:
    """Divide what the vision tower's layers hand on by the power of two next to `spread`; pictures' embeddings stay the same.

    Every reader inside the tower begins with a LayerNorm, so training lets features grow (here to ten). A connector has none
    and begins with features of size one in mind. A power of two changes no digit of the weights.
    """
    tower, by = clip.vision_model, 2.0 ** round(math.log2(spread))
    for writer in (
        tower.pre_layrnorm,
        *(part for layer in tower.encoder.layers for part in (layer.self_attn.out_proj, layer.mlp.fc2)),
    ):
        writer.weight /= by
        writer.bias /= by


def save_clip(clip: CLIPModel, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write model (bf16 safetensors), tokenizer and image processor as one Hugging Face directory."""
    clip.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    CLIPImageProcessorPil(
        size={"shortest_edge": IMAGE_SIZE},
        crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        image_mean=MEAN,
        image_std=STD,
    ).save_pretrained(out)
