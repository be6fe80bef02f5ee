"""Pictures as words of a code book that the language model speaks: SEED-LLaMA (arXiv 2310.01218)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPVisionModelWithProjection

from vistune.data.media.image import load_image
from vistune.model.encoders._squares import fit_square, normalise
from vistune.model.encoders._statistics import statistics
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Prepared, Thing
from vistune.model.heads._visual_tokenizer import VisualTokenizer
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.model.transformer_block import TransformerBlock
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model
from vistune.prompt.writer import Stretch, Trigger, Words
from vistune.sample import Part, Produce, Sample
from vistune.spec import Spec, build

OPEN, CLOSE = "<img>", "</img>"


class VisualCodes(Head):
    """A picture is `<img>`, `queries` words `<img_00017>` of a code book of `codes`, and `</img>`, supervised like any words.

    The tokenizer reads the features of `encoder`; its way back leads to the image embedding of the CLIP `image_encoder`, from
    which an image generator (unCLIP) paints. A stage that names `heads.NAME.tokenizer` and `heads.NAME.rebuild` teaches it
    (section 3.2 of arXiv 2310.01218): the codes are drawn to their vectors, blocks rebuild the queries' features from them,
    and the embedding is met. Afterwards it stays as it is, and the language model learns to speak.
    """

    makes = ("produce_image",)
    state = "predicting"
    spells = True
    losses: Mapping[str, float] = {"codes": 5.0, "rebuilt": 2.0, "image_embedding": 0.5}

    def __init__(
        self,
        width: int,
        encoder: Spec,
        image_encoder: str,
        codes: int = 8192,
        code_width: int = 32,
        queries: int = 32,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        depth: int = 4,
        back: Literal["mlp", "reverse"] = "mlp",
        narrow: Sequence[int] = (256, 128, 32),
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.codes = codes
        self.tokens = (OPEN, CLOSE, *(code_word(number) for number in range(codes)))
        self.encoder: ImageEncoder = build("vistune.model.encoders", encoder, ImageEncoder, load_weights=load_weights)
        folder = locate(image_encoder)
        config = read_config(image_encoder, folder, None)
        config = config.vision_config if "vision_config" in config.sub_configs else config
        self.image_encoder: Any = read_model(CLIPVisionModelWithProjection, image_encoder, folder, config, None, load_weights)
        self.statistics = statistics(folder, None)
        for frozen in (self.encoder, self.image_encoder):
            frozen.requires_grad_(False)
        self.queries = queries
        self.tokenizer = VisualTokenizer(
            self.encoder.width, int(config.projection_dim), codes, code_width, queries, hidden, layers, heads,
            depth=depth, back=back, narrow=narrow,
        )  # fmt: skip
        self.rebuild = nn.Sequential(*(TransformerBlock(hidden, heads, eps=1e-6) for _ in range(depth)))

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """As many words as there are queries; `spell` says later which."""
        return [Words(OPEN), *[Trigger(code_word(0))] * self.queries, Words(CLOSE)]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs`: the picture as the tokenizer's encoder sees it; `extra["image"]`: as the image encoder does."""
        assert isinstance(part, Produce)
        image = load_image(sample.media[part.index], sample.where)
        mean, std = self.statistics
        square, _ = fit_square(image, int(self.image_encoder.config.image_size), "resize", mean)
        seen = self.encoder.prepare(image)
        return Prepared(seen.inputs, seen.geometry, extra={"image": normalise(square, mean, std)[None]})

    @torch.no_grad()
    def spell(self, things: Sequence[Thing]) -> list[list[str]]:
        """The words of each picture."""
        ids = self.tokenizer(self._features(things)).ids
        return [[code_word(number) for number in row] for row in ids.tolist()]

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """The tokenizer's own losses, while it learns."""
        # Frozen, the tokenizer only spells: its losses would cost two encoders a step and reach nothing.
        if not any(parameter.requires_grad for parameter in self.tokenizer.parameters()):
            return {}
        x = self.tokenizer.q_former(self.tokenizer.norm(self._features(things)))
        quantised = self.tokenizer.quantizer(self.tokenizer.encode(x))
        rebuilt = self.rebuild(self.tokenizer.decode(quantised.x) + self.tokenizer.positions)
        with torch.no_grad():
            pixels = torch.cat([thing.ready.extra["image"] for thing in things if thing.ready.extra]).to(x)
            wanted = self.image_encoder(pixel_values=pixels).image_embeds
        far = F.mse_loss(self.tokenizer.embed(quantised.x), wanted, reduction="none").mean(dim=1).sum()
        unlike = (1 - F.cosine_similarity(rebuilt, x.detach(), dim=-1)).mean(dim=1).sum()
        # The quantiser gives a mean over pictures; losses are sums, which the step divides by its count.
        counted = {"codes": quantised.loss * len(things), "rebuilt": unlike, "image_embedding": far}
        return {name: Loss(total, "produce_image") for name, total in counted.items()}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Nothing is made of states: `embeddings_in` reads the words of an answer."""
        return []

    @torch.no_grad()
    def embeddings_in(self, answer: str) -> Tensor:
        """The image embeddings `[n, C]` of the n whole pictures in an answer's words, for an image generator."""
        rows = [[int(number) for number in _CODE.findall(piece.split(CLOSE)[0])] for piece in answer.split(OPEN)[1:]]
        whole = [row for row in rows if len(row) == self.queries and max(row) < self.codes]
        device = self.tokenizer.positions.device
        return self.tokenizer.embed_ids(torch.tensor(whole, dtype=torch.long, device=device).view(-1, self.queries))

    @torch.no_grad()
    def _features(self, things: Sequence[Thing]) -> Tensor:
        device = self.tokenizer.positions.device
        x: Tensor = self.encoder(torch.cat([thing.ready.inputs for thing in things]).to(device)).x
        return x


_CODE = re.compile(r"<img_(\d{5})>")


def code_word(number: int) -> str:
    """The word of a code."""
    return f"<img_{number:05d}>"
