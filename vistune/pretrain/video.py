"""`vistune pretrain video`: a small VideoMAE taught to name what lies in each cube of a film, its colour, and what it does.

Its blocks begin as the shipped image encoder's, and its cubes as that encoder's patches at half their weight in each of two
frames (inflation, arXiv 1705.07750, section 2.1.3), since a film's frames are pictures. Most of the time it sees only some of
the cubes, things before background, as VideoMAE (arXiv 2203.12602) does in its own pretraining.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, VideoMAEConfig, VideoMAEImageProcessorPil, VideoMAEModel

from vistune.data.media.video import spread
from vistune.model.weights.assets import locate
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.dense import owners
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.vision import COLOURS, IMAGE_SIZE, MEAN, NAMES, PATCH_SIZE, STD
from vistune.world.films.film import FRAMES, Film, FilmObject, make_film
from vistune.world.films.roles import ACTIONS, DIRECTIONS

FOLDER = "videomae"
SEEN = spread(FRAMES, 8)  # the frames a video encoder that takes eight is given
TUBELET = 2
GRID = IMAGE_SIZE // PATCH_SIZE
CUBES = len(SEEN) // TUBELET * GRID * GRID
KEPT = 80
WHOLE_FROM = 0.8  # of the steps on, all cubes are seen
DEEDS = [*(f"move {direction}" for direction in DIRECTIONS), *(action for action in ACTIONS if action != "move")]
VALIDATION_FILMS = 96


def config() -> VideoMAEConfig:
    """2.7 M parameters: the shipped image encoder's sizes."""
    return VideoMAEConfig(
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        num_frames=len(SEEN),
        tubelet_size=TUBELET,
        hidden_size=192,
        num_hidden_layers=6,
        num_attention_heads=6,
        intermediate_size=768,
        layer_norm_eps=1e-5,
        use_mean_pooling=False,
    )


def deed(thing: FilmObject) -> str:
    """`move left`, `appear`, ..."""
    return f"move {thing.direction}" if thing.action == "move" else thing.action


def frames(films: Sequence[Film]) -> Tensor:
    """`[B, 8, 3, 64, 64]`, normalised."""
    seen = torch.from_numpy(np.stack([film.frames[SEEN] for film in films])).permute(0, 1, 4, 2, 3).float() / 255
    return (seen - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def owner_of_cubes(film: Film) -> Tensor:
    """`[CUBES]`: the number, from one, of the thing in each cube (in either of its two frames); zero where there is none."""
    found = []
    for first in range(0, len(SEEN), TUBELET):
        both = []
        for time in SEEN[first : first + TUBELET]:
            there = [(number, thing.boxes[time]) for number, thing in enumerate(film.objects, 1)]
            present = [(number, box) for number, box in there if box is not None]
            numbers = np.array([0, *(number for number, _ in present)])
            both.append(numbers[owners([box for _, box in present], GRID)])
        found.append(np.where(both[1] > 0, both[1], both[0]))
    return torch.from_numpy(np.stack(found)).flatten()


@torch.no_grad()
def inflate(video: VideoMAEModel) -> None:
    """Give a VideoMAE the weights of the shipped image encoder, where it has the like."""
    tower = CLIPModel.from_pretrained(Path(locate("builtin:clip")), dtype=torch.float32).vision_model
    cubes = video.embeddings.patch_embeddings.projection
    patches = tower.embeddings.patch_embedding.weight[:, :, None]  # [192, 3, 1, 8, 8]
    cubes.weight.copy_(patches.expand_as(cubes.weight) / TUBELET)
    told = cubes(frames([make_film(seed) for seed in range(4)]).transpose(1, 2))
    cubes.weight *= video.embeddings.position_embeddings.std() / told.std()  # cubes and places begin equally loud
    for layer, image in zip(video.encoder.layer, tower.encoder.layers, strict=True):
        attention = layer.attention.attention
        attention.query.load_state_dict(image.self_attn.q_proj.state_dict())
        attention.key.weight.copy_(image.self_attn.k_proj.weight)  # a key's bias changes no softmax, and VideoMAE has none
        attention.value.load_state_dict(image.self_attn.v_proj.state_dict())
        layer.attention.output.dense.load_state_dict(image.self_attn.out_proj.state_dict())
        layer.layernorm_before.load_state_dict(image.layer_norm1.state_dict())
        layer.layernorm_after.load_state_dict(image.layer_norm2.state_dict())
        layer.intermediate.dense.load_state_dict(image.mlp.fc1.state_dict())
        layer.output.dense.load_state_dict(image.mlp.fc2.state_dict())


class Pretraining(nn.Module):
    """A VideoMAE, and linear heads on its cubes."""

    def __init__(self) -> None:
        super().__init__()
        self.video = VideoMAEModel(config())
        inflate(self.video)
        self.norm = nn.LayerNorm(192)
        self.name, self.colour = nn.Linear(192, len(NAMES) + 1), nn.Linear(192, len(COLOURS) + 1)
        self.deed = nn.Linear(192, len(DEEDS))

    def see(self, films: Sequence[Film], hidden: Tensor | None = None) -> Tensor:
        """Features `[B, L, 192]` of all cubes, or of those that are not `hidden` (bool `[B, CUBES]`)."""
        seen: Tensor = self.norm(self.video(frames(films), bool_masked_pos=hidden).last_hidden_state)
        return seen

    def losses(self, films: Sequence[Film], generator: torch.Generator, keep: int) -> dict[str, Tensor]:
        """`name`, `colour` and `deed` of what is in each of the `keep` cubes seen; of the background only that it is that."""
        owner = torch.stack([owner_of_cubes(film) for film in films])
        hidden = None
        if keep < CUBES:
            order = torch.rand(owner.shape, generator=generator) + (owner > 0)
            kept = order.topk(keep, dim=1).indices.sort(dim=1).values
            hidden = torch.ones_like(owner, dtype=torch.bool).scatter(1, kept, False)
            owner = owner.gather(1, kept)
        tables = [torch.tensor([(0, 0, 0), *map(_labels, film.objects)]) for film in films]
        truth = torch.stack([table[row] for table, row in zip(tables, owner, strict=True)])  # [B, L, 3]
        names, colours, deeds = truth.unbind(-1)
        x, there = self.see(films, hidden), owner > 0
        weight = torch.where(there, 1.0, 0.1)
        losses = {}
        for key, head, wanted in (("name", self.name, names), ("colour", self.colour, colours)):
            each = F.cross_entropy(head(x).transpose(1, 2), wanted, reduction="none")
            losses[key] = (each * weight).sum() / weight.sum()
        losses["deed"] = F.cross_entropy(self.deed(x[there]), deeds[there])
        return losses

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of validation films' things named right by the mean over their cubes: name, colour (at first) and deed."""
        hits: dict[str, list[bool]] = {"name": [], "colour": [], "deed": []}
        for first in range(0, VALIDATION_FILMS, 16):
            films = [make_film(first + index, "validation") for index in range(16)]
            for row, film in zip(self.see(films), films, strict=True):
                owner = owner_of_cubes(film)
                for number, thing in enumerate(film.objects, 1):
                    mean = row[owner == number].mean(dim=0)
                    name, colour, done = _labels(thing)
                    hits["name"].append(int(self.name(mean)[1:].argmax()) + 1 == name)
                    hits["colour"].append(int(self.colour(mean)[1:].argmax()) + 1 == colour)
                    hits["deed"].append(int(self.deed(mean).argmax()) == done)
        return {key: sum(values) / len(values) for key, values in hits.items()}


def _labels(thing: FilmObject) -> tuple[int, int, int]:
    return NAMES.index(thing.name) + 1, COLOURS.index(thing.colour) + 1, DEEDS.index(deed(thing))


def pretrain_video(
    out: Path, steps: int, batch: int = 16, lr: float = 8e-4, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the VideoMAE, write its Hugging Face directory (bf16) with its card into `out/videomae`; validation scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        keep = KEPT if step < WHOLE_FROM * steps else CUBES
        films = [make_film(first + index) for index in range(batch)]
        return model.losses(films, torch.Generator().manual_seed(first), keep)

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.parameters(), lr)], until)
    folder = out / FOLDER
    model.video.to(torch.bfloat16).save_pretrained(folder)
    VideoMAEImageProcessorPil(
        size={"shortest_edge": IMAGE_SIZE},
        crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        image_mean=MEAN,
        image_std=STD,
    ).save_pretrained(folder)
    command = f"vistune pretrain video --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.video, (make_film(index).frames for index in range(HASHED)), scores)
    return scores
