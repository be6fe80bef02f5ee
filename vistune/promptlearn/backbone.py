"""The frozen dual encoder, opened up: two towers of pre-norm blocks, a tokenizer and a temperature.

CLIP and SigLIP of `transformers` are read through the same few names. Nothing here is trained: every weight is frozen,
whatever a method learns lives in the method.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError, why
from vistune.files import read_json
from vistune.model.weights.numbers import check_backbone
from vistune.promptlearn.edits import TowerName
from vistune.promptlearn.towers.resnet import DOWNSCALE, ResNetClip

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class Tokenizer(Protocol):
    """Text to token ids *without* start, end or padding."""

    def __call__(self, text: str) -> list[int]:
        """Token ids of `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Tower:
    """One transformer: its blocks and what surrounds them.

    `width` is the residual stream's, `causal` whether a token sees only what precedes it, `project` maps the pooled
    state to the joint space.
    """

    name: TowerName
    blocks: tuple[Any, ...]
    width: int
    heads: int
    causal: bool
    final_norm: nn.Module
    projection: nn.Module | None

    def project(self, hidden: Tensor) -> Tensor:
        """`hidden [..., width]` after the last block to features `[..., E]`: final norm, then projection."""
        normed: Tensor = self.final_norm(hidden)
        return normed if self.projection is None else cast(Tensor, self.projection(normed))


class DualEncoder:
    """A frozen `transformers` CLIP or SigLIP model, unrolled, or CLIP with a ResNet image tower (`ResNetClip`).

    `text` and `vision` are its towers, `embed_dim` is E, `context_length` the longest text, `mean` and `std` normalise
    pixels in [0, 1]. A ResNet has no blocks: methods that change the text, the features or the pixels work on it. Raises
    `InputError` when the model is of another family.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        identity: str = "in memory",
        mean: tuple[float, float, float] = CLIP_MEAN,
        std: tuple[float, float, float] = CLIP_STD,
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.identity = identity
        self.mean, self.std = mean, std
        self.family: str
        self.vision: Tower
        self.embed_dim: int
        self.image_size: int
        self.patch_size: int
        if isinstance(model, ResNetClip):
            self._read_resnet(model)
            return
        config = model.config
        if config.model_type not in ("clip", "siglip"):
            raise InputError(f"{identity} is a {config.model_type} model: prompt learning needs a CLIP or SigLIP dual encoder")
        self.family = config.model_type
        clip = self.family == "clip"
        vision = model.vision_model
        self._read_text(model, config.text_config, model.text_projection if clip else model.text_model.head)
        self.vision = Tower(
            name="vision",
            blocks=tuple(vision.encoder.layers),
            width=config.vision_config.hidden_size,
            heads=config.vision_config.num_attention_heads,
            causal=False,
            final_norm=vision.post_layernorm,
            projection=model.visual_projection if clip else None,
        )
        self.embed_dim = config.projection_dim if clip else config.text_config.projection_size
        self.image_size = config.vision_config.image_size
        self.patch_size = config.vision_config.patch_size

    def _read_text(self, model: Any, config: Any, projection: nn.Module) -> None:
        text, clip = model.text_model, self.family != "siglip"
        self.text = Tower(
            name="text",
            blocks=tuple(text.encoder.layers),
            width=config.hidden_size,
            heads=config.num_attention_heads,
            causal=clip,
            final_norm=text.final_layer_norm,
            projection=projection,
        )
        self.token_embedding: nn.Embedding = text.embeddings.token_embedding
        self.text_positions: nn.Embedding = text.embeddings.position_embedding
        self.context_length: int = config.max_position_embeddings
        # SigLIP's texts begin with their first word.
        self.start: int | None = config.bos_token_id if clip else None
        self.end: int = config.eos_token_id
        # CLIP pads with zeros behind the end, which a causal tower never looks at; its configuration names another token.
        self.pad: int = 0 if clip else config.pad_token_id

    def _read_resnet(self, model: ResNetClip) -> None:
        self.family = "clip_resnet"
        self._read_text(model, model.text_config, model.text_projection)
        channels = model.vision_model.attnpool.c_proj.in_features
        self.vision = Tower("vision", (), channels, model.vision_model.attnpool.heads, False, nn.Identity(), None)
        self.embed_dim, self.image_size, self.patch_size = model.embed_dim, model.image_size, DOWNSCALE

    @property
    def has_class_token(self) -> bool:
        """CLIP pools a class token; SigLIP pools by attention."""
        return self.family == "clip"

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.token_embedding.weight.device

    def to(self, device: torch.device | str) -> DualEncoder:
        """Move the weights, here, and return this encoder."""
        self.model.to(device)
        return self

    def tower(self, name: TowerName) -> Tower:
        """The tower of that name."""
        return self.text if name == "text" else self.vision

    @property
    def scale(self) -> Tensor:
        """What multiplies the cosine: exp of the stored logarithm."""
        return cast(Tensor, self.model.logit_scale.exp())

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Similarity `[B, N]` of `image [B, E]` and `text [N, E]` (or one set an image, `[B, N, E]`), neither normalised."""
        image, text = unit(image), unit(text)
        # Methods whose text follows the image (CoCoOp) have a set of class features for each image.
        cosine = image @ text.T if text.ndim == 2 else torch.einsum("be,bne->bn", image, text)
        scaled = self.scale * cosine
        return scaled + self.model.logit_bias if self.family == "siglip" else scaled

    @property
    def has_blocks(self) -> bool:
        """Is the image tower a transformer, or else a ResNet?"""
        return self.family != "clip_resnet"

    def resnet_features(self, pixels: Tensor) -> Tensor:
        """Image features `[B, E]` of a ResNet tower."""
        return cast(Tensor, self.model.vision_model(pixels))

    def embed_image(self, pixels: Tensor) -> Tensor:
        """`pixels [B, 3, H, W]` to `[B, 1 + patches, width]`, position embedding added, before any norm."""
        embedded: Tensor = self.model.vision_model.embeddings(pixels)
        return embedded

    def norm_image_input(self, x: Tensor) -> Tensor:
        """The norm between the embedding and the first block (CLIP only)."""
        return cast(Tensor, self.model.vision_model.pre_layrnorm(x)) if self.family == "clip" else x

    def pool_image(self, first: Tensor, patches: Tensor | None) -> Tensor:
        """Image features `[B, E]` from the class token's last state, or by attention over the patches (SigLIP)."""
        if self.family == "clip":
            return self.vision.project(first)
        pooled: Tensor = self.model.vision_model.head(self.vision.final_norm(patches))
        return pooled

    def words(self, text: str) -> Tensor:
        """Embeddings `[tokens, width]` of the words of a text."""
        ids = self.tokenizer(text)
        return self.token_embedding.weight[torch.tensor(ids, device=self.device, dtype=torch.long)]


def unit(x: Tensor) -> Tensor:
    """`x` with its last axis at Euclidean length one."""
    return F.normalize(x, dim=-1)


class HuggingFaceTokenizer:
    """A `transformers` tokenizer as plain text -> ids, without special tokens."""

    def __init__(self, tokenizer: Any, *, lower: bool = False) -> None:
        self.tokenizer = tokenizer
        self.lower = lower

    def __call__(self, text: str) -> list[int]:
        """Token ids of `text`, no specials."""
        encoded = self.tokenizer(text.lower() if self.lower else text, add_special_tokens=False, verbose=False)
        return [int(token) for token in encoded["input_ids"]]


def load(name: str) -> DualEncoder:
    """A dual encoder from a local directory or a hub id, in float32. Raises `InputError` when it does not load."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers.utils import cached_file

    try:
        # Before the weights: another family is named without reading gigabytes.
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        if config.model_type not in ("clip", "siglip"):
            raise InputError(f"{name} is a {config.model_type} model: prompt learning needs a CLIP or SigLIP dual encoder")
        model = AutoModel.from_pretrained(name, dtype=torch.float32, trust_remote_code=False)
        check_backbone(model, name, name)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        pixels = read_json(cached_file(name, "preprocessor_config.json"))
    except InputError:
        raise
    except Exception as error:  # libraries fail in as many ways as a directory can be broken in
        where = "directory" if Path(name).exists() else "directory or hub id"
        raise InputError(f"{where} {name!r} holds no CLIP model with a tokenizer: {why(error)}") from error
    words = HuggingFaceTokenizer(tokenizer, lower=config.model_type == "siglip")
    return DualEncoder(model, words, identity=name, mean=tuple(pixels["image_mean"]), std=tuple(pixels["image_std"]))
