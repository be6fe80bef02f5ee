"""`vistune pretrain painter`: a small diffusion transformer that paints "a red seven".

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

from vistune.model.painting.painter import Painter
from vistune.model.weights.assets import locate
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.codes import to_images
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.phrases import phrase
from vistune.pretrain.probing.reader import Encoder, ObjectReader, pixels
from vistune.pretrain.vision import IMAGE_SIZE
from vistune.training.steps.optimizers import inner_matrices
from vistune.world import digits, palette
from vistune.world.backgrounds import plain
from vistune.world.digits import SPLITS, Split
from vistune.world.scene import Scene, SceneObject, draft, paint

FOLDER = "painter"
TOKENS = 10
WARMUP = 50
UNTOLD = 0.1  # share of pictures painted without being told what, for classifier-free guidance
VALIDATION_SCENES = 128
ASIDE = 2  # pixels, at most, by which an object is off the middle
TIME_MEAN, TIME_SPREAD = 0.8, 0.8  # of the logit of the share of noise: what is painted is decided where there is much
MEAN_OVER = 0.995  # of the mean of the weights stays at each step
COLOURFUL = 70  # how far apart the channels of a pixel of ink are, at least


class TextTeller(nn.Module):
    """Texts as the shipped text encoder's hidden states `[N, 10, 128]`, padding included."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(locate("builtin:clip"))
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.text = CLIPModel.from_pretrained(folder, dtype=torch.float32).text_model.requires_grad_(False).eval()
        self._known: dict[str, Tensor] = {}  # there are some two hundred wishes

    def forward(self, texts: Sequence[str]) -> Tensor:
        """`[N, 10, 128]`."""
        return torch.stack([self._told(text) for text in texts])

    @torch.no_grad()
    def _told(self, text: str) -> Tensor:
        if text not in self._known:
            batch = self.tokenizer([text], return_tensors="pt", padding="max_length", max_length=TOKENS, truncation=True)
            states = self.text(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
            self._known[text] = states[0]
        return self._known[text]


def portrait(seed: int, split: Split = "train") -> Scene:
    """A large digit or shape near the middle of a plain background: what the painter is taught to paint."""
    rng = np.random.default_rng([seed, SPLITS.index(split), 11])
    dark = bool(rng.random() < 0.5)
    while (drafted := draft(split, IMAGE_SIZE, "clean", 1.0, rng)).kind == "word":
        pass
    height, width = drafted.ink.opacity.shape
    room = (IMAGE_SIZE - width, IMAGE_SIZE - height)
    left, top = (int(np.clip(free / 2 + rng.integers(-ASIDE, ASIDE + 1), 0, free)) for free in room)
    canvas = plain(IMAGE_SIZE, dark, rng)
    thing = paint(canvas, drafted, (left, top), palette.ink(drafted.colour, dark, rng))
    return Scene(seed, split, "clean", dark, canvas.round().astype(np.uint8), (thing,))


def asked_for(thing: SceneObject, rng: np.random.Generator) -> str:
    """`a large red seven`, or, half of the time, `a red seven`."""
    return phrase(thing) if rng.random() < 0.5 else phrase(thing).replace(f" {thing.size}", "", 1)


def colourful_box(image: NDArray[np.uint8]) -> tuple[float, float, float, float] | None:
    """The bounds of coloured pixels (backgrounds are nearly grey), xyxy in [0, 1]; None where there are hardly any."""
    ink = np.ptp(image.astype(int), axis=2) > COLOURFUL
    if ink.sum() < 8:
        return None
    rows, columns = np.flatnonzero(ink.sum(axis=1) > 0), np.flatnonzero(ink.sum(axis=0) > 0)
    height, width = ink.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


class Pretraining(nn.Module):
    """A painter, the mean of its weights over the last steps, and the text encoder it listens to, which is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.teller, self.painter = TextTeller(), Painter()
        self.mean = Painter().requires_grad_(False)
        self.mean.load_state_dict(self.painter.state_dict())

    def losses(self, scenes: Sequence[Scene], seed: int) -> dict[str, Tensor]:
        """`direction`: squared error of the direction from picture to noise."""
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        wanted = pixels([scene.image for scene in scenes])
        texts = [asked_for(scene.objects[0], rng) if rng.random() >= UNTOLD else "" for scene in scenes]
        time = (TIME_MEAN + TIME_SPREAD * torch.randn(len(scenes), generator=generator)).sigmoid()
        noise = torch.randn(wanted.shape, generator=generator)
        share = time[:, None, None, None]
        said = self.painter((1 - share) * wanted + share * noise, time, self.teller(texts))
        return {"direction": F.mse_loss(said, noise - wanted)}

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move the mean of the weights towards the present ones."""
        share = max(1 - MEAN_OVER, 1 / (step + 1))
        for mean, now in zip(self.mean.parameters(), self.painter.parameters(), strict=True):
            mean.lerp_(now, share)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The same loss on validation scenes, always with the same noise."""
        scenes = [portrait(seed, "validation") for seed in range(VALIDATION_SCENES)]
        return {"direction": float(self.losses(scenes, 0)["direction"])}

    @torch.no_grad()
    def paint(self, texts: Sequence[str], seed: int = 0) -> list[NDArray[np.uint8]]:
        """A picture for each text, by the mean of the weights."""
        shape = (len(texts), 3, self.mean.side, self.mean.side)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        return to_images(self.mean.paint(self.teller(texts), self.teller([""]), noise))


def optimizers(painter: Painter, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of attention and networks, AdamW for the rest, gates included, which begin at zero."""
    inner = inner_matrices(painter.blocks) - {id(gates.weight) for gates in painter.gates()}
    matrices = [parameter for parameter in painter.parameters() if id(parameter) in inner]
    rest = [parameter for parameter in painter.parameters() if id(parameter) not in inner]
    return [torch.optim.Muon(matrices, lr=lr, weight_decay=0.01), adamw(rest, lr / 10, weight_decay=0.01)]


def wishes() -> list[tuple[str, str]]:
    """Every digit in every colour, as (colour, name)."""
    return [(colour, name) for name in digits.NAMES for colour in palette.NAMES]


def read_painted(model: Pretraining, reader: ObjectReader, times: int = 4) -> dict[str, float]:
    """Share of painted digits ("a red seven") in which the shipped encoder reads the name, the colour, and both."""
    hits = {"name": 0, "colour": 0, "both": 0}
    asked = [(colour, name) for colour, name in wishes() for _ in range(times)]
    images = model.paint([f"a {colour} {name}" for colour, name in asked])
    for (colour, name), image in zip(asked, images, strict=True):
        found = reader.read(image, colourful_box(image))
        hits["name"] += found[0] == name
        hits["colour"] += found[1] == colour
        hits["both"] += found == (name, colour)
    return {f"{key} painted": value / len(asked) for key, value in hits.items()}


def pretrain_painter(
    out: Path, steps: int, batch: int = 32, lr: float = 1e-2, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the painter and write it (bf16) with its card into `out/painter`; validation and reading scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        model.follow(step)
        first = (seed * steps + step) * batch
        return model.losses([portrait(first + index) for index in range(batch)], first)

    scores = pretrain(model, losses_at, model.validate, out, steps, optimizers(model.painter, lr), until, WARMUP)
    folder = out / FOLDER
    model.mean.save(folder)
    if min(steps, until or steps) == steps:
        model.mean = Painter.load(folder)
        scores |= read_painted(model, ObjectReader(Encoder()))
    command = f"vistune pretrain painter --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.mean, (portrait(index).image for index in range(HASHED)), scores)
    return scores
