"""`vistune pretrain painter`: a small diffusion transformer that paints "a large red seven" in the code book's latent space.

The shipped CLIP's text encoder tells it what to paint, and its image encoder reads what was painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoTokenizer, CLIPModel

from vistune.model.painting.code_book import CodeBook
from vistune.model.painting.painter import Painter
from vistune.model.weights.assets import locate
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.codes import to_images
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.phrases import phrase
from vistune.pretrain.probing.reader import Encoder, ObjectReader, pixels
from vistune.world import digits, palette
from vistune.world.scene import Scene, make_scene

FOLDER = "painter"
TOKENS = 10
UNTOLD = 0.1  # share of pictures painted without being told what, for classifier-free guidance
VALIDATION_SCENES = 256
COLOURFUL = 70  # how far apart the channels of a pixel of ink are, at least


class TextTeller(nn.Module):
    """Texts as the shipped text encoder's hidden states `[N, 10, 128]`, padding included."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(locate("builtin:clip"))
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.text = CLIPModel.from_pretrained(folder, dtype=torch.float32).text_model.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, texts: Sequence[str]) -> Tensor:
        """`[N, 10, 128]`."""
        batch = self.tokenizer(list(texts), return_tensors="pt", padding="max_length", max_length=TOKENS, truncation=True)
        states: Tensor = self.text(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        return states


def scenes_of(first: int, count: int) -> list[Scene]:
    """Training scenes of one object each."""
    return [make_scene(first + index, "train", count=1) for index in range(count)]


def colourful_box(image: NDArray[np.uint8]) -> tuple[float, float, float, float] | None:
    """The bounds of coloured pixels (backgrounds are nearly grey), xyxy in [0, 1]; None where there are hardly any."""
    ink = np.ptp(image.astype(int), axis=2) > COLOURFUL
    if ink.sum() < 8:
        return None
    rows, columns = np.flatnonzero(ink.sum(axis=1) > 0), np.flatnonzero(ink.sum(axis=0) > 0)
    height, width = ink.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


class Pretraining(nn.Module):
    """A painter, the code book it paints with and the text encoder it listens to, both frozen."""

    def __init__(self, book: CodeBook) -> None:
        super().__init__()
        self.book, self.teller, self.painter = book, TextTeller(), Painter()
        self.scale = book.codes.shape[1] ** 0.5  # vectors have length one, latents unit variance

    def losses(self, scenes: Sequence[Scene], generator: torch.Generator) -> dict[str, Tensor]:
        """`direction`: squared error of the direction from picture to noise."""
        with torch.no_grad():
            latents = self.scale * self.book.embed(self.book.encode(pixels([scene.image for scene in scenes])))
        told = self.teller([phrase(scene.objects[0]) for scene in scenes])
        untold = torch.rand(len(scenes), 1, 1, generator=generator) < UNTOLD
        told = torch.where(untold, self.painter.nothing, told)
        time = torch.randn(len(scenes), generator=generator).sigmoid()
        noise = torch.randn(latents.shape, generator=generator)
        share = time[:, None, None, None]
        said = self.painter((1 - share) * latents + share * noise, time, told)
        return {"direction": F.mse_loss(said, noise - latents)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The same loss on validation scenes, always with the same noise."""
        scenes = [make_scene(seed, "validation", count=1) for seed in range(VALIDATION_SCENES)]
        loss = self.losses(scenes, torch.Generator().manual_seed(0))["direction"]
        return {"direction": float(loss)}

    @torch.no_grad()
    def paint(self, texts: Sequence[str], seed: int = 0) -> list[NDArray[np.uint8]]:
        """A picture for each text. Latents become the nearest codes before they are drawn."""
        latents = self.painter.paint(self.teller(texts), torch.Generator().manual_seed(seed))
        return to_images(self.book.decode(self.book.nearest(F.normalize(latents, dim=1))))


def wishes() -> list[tuple[str, str]]:
    """Every digit in every colour, as (colour, name)."""
    return [(colour, name) for name in digits.NAMES for colour in palette.NAMES]


def read_painted(model: Pretraining, reader: ObjectReader, times: int = 4) -> dict[str, float]:
    """Share of painted digits ("a large red seven") in which the shipped encoder reads the name, the colour, and both."""
    hits = {"name": 0, "colour": 0, "both": 0}
    asked = [(colour, name) for colour, name in wishes() for _ in range(times)]
    images = model.paint([f"a large {colour} {name}" for colour, name in asked])
    for (colour, name), image in zip(asked, images, strict=True):
        found = reader.read(image, colourful_box(image))
        hits["name"] += found[0] == name
        hits["colour"] += found[1] == colour
        hits["both"] += found == (name, colour)
    return {f"{key} painted": value / len(asked) for key, value in hits.items()}


def pretrain_painter(
    out: Path,
    steps: int,
    batch: int = 24,
    lr: float = 1e-3,
    seed: int = 0,
    until: int | None = None,
    book: str = "builtin:code_book",
) -> dict[str, float]:
    """Teach the painter and write it (bf16) with its card into `out/painter`; validation and reading scores."""
    torch.manual_seed(seed)
    model = Pretraining(CodeBook.load(locate(book)))

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        return model.losses(scenes_of(first, batch), torch.Generator().manual_seed(first))

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.painter.parameters(), lr)], until)
    folder = out / FOLDER
    model.painter.save(folder)
    if min(steps, until or steps) == steps:
        model.painter = Painter.load(folder)
        scores |= read_painted(model, ObjectReader(Encoder()))
    command = f"vistune pretrain painter --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.painter, (scene.image for scene in scenes_of(0, HASHED)), scores)
    return scores
