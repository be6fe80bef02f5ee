"""`vistune pretrain codes`: a code book with its decoder, taught to give scenes back.

Pixels and what the shipped encoder sees in them are both to be given back (a perceptual loss, as in VQGAN, arXiv 2012.09841,
section 3.1, with our own encoder in the place of a VGG).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vistune.model.painting.code_book import CodeBook
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.probing.reader import Encoder, ObjectReader, held_out, pixels
from vistune.world.scene import Scene, make_scene

FOLDER = "code_book"
IDLE = 60  # steps after which a code that nobody chose is moved to where it is needed
EARLY = 0.6  # of the steps are taken on pixels alone, while idle codes are moved
SEEN = 0.5  # weight of the encoder's features
VALIDATION_SCENES = 256


def to_images(pictures: Tensor) -> list[NDArray[np.uint8]]:
    """`[N, 3, H, W]` in [-1, 1] -> uint8 pictures."""
    bright = ((pictures.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return list(bright.permute(0, 2, 3, 1).numpy())


class Pretraining(nn.Module):
    """A code book, how long each code has been idle, and the shipped encoder that looks at what is given back."""

    idle: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.book = CodeBook()
        self.encoder = Encoder()
        self.register_buffer("idle", torch.zeros(len(self.book.codes), dtype=torch.long))

    def losses(self, scenes: list[Scene], generator: torch.Generator, early: bool) -> dict[str, Tensor]:
        """`pixels` (objects weigh five times the background), `codes`, and, when it is no longer `early`, `features`."""
        wanted = pixels([scene.image for scene in scenes])
        if early:
            self._move_idle(wanted, generator)
        made, codes, distance = self.book(wanted)
        self.idle += 1
        self.idle[codes.unique()] = 0
        ink = torch.from_numpy(np.stack([np.logical_or.reduce([thing.mask for thing in scene.objects]) for scene in scenes]))
        weight = 1 + 4 * F.max_pool2d(ink[:, None].float(), 5, stride=1, padding=2)
        off = made - wanted
        losses = {"pixels": 4 * ((off.abs() + off.square()) * weight).sum() / (3 * weight.sum()), "codes": distance}
        if not early:
            with torch.no_grad():
                seen = self.encoder(wanted)
            losses["features"] = SEEN * F.mse_loss(self.encoder(made), seen) / seen.var()
        return losses

    @torch.no_grad()
    def _move_idle(self, pictures: Tensor, generator: torch.Generator) -> None:
        """Codes that nobody has chosen for long become vectors of the present pictures."""
        if (idle := torch.nonzero(self.idle > IDLE).flatten()).numel():
            vectors = self.book.vectors(pictures).permute(0, 2, 3, 1).flatten(0, 2)
            self.book.codes[idle] = vectors[torch.randint(len(vectors), (len(idle),), generator=generator)]
            self.idle[idle] = 0

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean absolute error in 0-255 on validation scenes, and the share of codes in use."""
        scenes = held_out("validation", VALIDATION_SCENES)
        wanted = pixels([scene.image for scene in scenes])
        made, codes, _ = self.book(wanted)
        return {"error": float((made - wanted).abs().mean() * 127.5), "used": len(codes.unique()) / len(self.book.codes)}


@torch.no_grad()
def read_back(book: CodeBook, reader: ObjectReader, count: int = 400) -> dict[str, float]:
    """Share of test scenes' objects that the shipped encoder names right in reconstructions, and in the originals."""
    scenes = held_out("test", count)
    made = [image for scene in scenes for image in to_images(book.decode(book.encode(pixels([scene.image]))))]
    found, true = reader.accuracy(made, scenes), reader.accuracy([scene.image for scene in scenes], scenes)
    return {f"{key} read": value for key, value in found.items()} | {f"{key} of originals": true[key] for key in true}


def pretrain_codes(
    out: Path, steps: int, batch: int = 16, lr: float = 1e-3, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the code book and write it (bf16) with its card into `out/code_book`; validation and test scores."""
    torch.manual_seed(seed)
    model = Pretraining()
    last = min(steps, until or steps)

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        generator = torch.Generator().manual_seed(first)
        return model.losses([make_scene(first + index) for index in range(batch)], generator, step < EARLY * steps)

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.book.parameters(), lr)], until)
    folder = out / FOLDER
    model.book.save(folder)
    if last == steps:
        scores |= read_back(CodeBook.load(folder), ObjectReader(model.encoder))
    command = f"vistune pretrain codes --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.book, (make_scene(index).image for index in range(HASHED)), scores)
    return scores
