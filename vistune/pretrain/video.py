"""`vistune pretrain video`: a small ViViT taught to name what lies in each cube of a film, its colour, and what it does.

It begins as the shipped image encoder up to the layer that visual features are taken from, with that encoder's patches at half
their weight in each of two frames and its places at every time (ViViT, arXiv 2103.15691, section 3.4): of a film in which
nothing happens it sees what the image encoder sees. Most of the time it sees only some of the cubes, things before background,
which costs a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, VideoMAEImageProcessorPil, VivitConfig, VivitModel

from vistune.data.media.sampling import spread
from vistune.model.painting.painter import grid_waves
from vistune.model.weights.assets import locate
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.dense import owners
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.vision import COLOURS, IMAGE_SIZE, MEAN, NAMES, PATCH_SIZE, STD
from vistune.world.films.film import FRAMES, Film, FilmObject, make_film
from vistune.world.films.roles import ACTIONS, DIRECTIONS

FOLDER = "vivit"
SEEN = spread(FRAMES, 8)  # the frames a video encoder that takes eight is given
TUBELET = 2
WIDTH, LAYERS = 192, 5
TIMES_LOUD = 0.3  # how much of a place's embedding tells its time, at the beginning
GRID = IMAGE_SIZE // PATCH_SIZE
CUBES = len(SEEN) // TUBELET * GRID * GRID
KEPT = 80
WHOLE_FROM = 0.9  # of the steps on, all cubes are seen
DEEDS = [*(f"move {direction}" for direction in DIRECTIONS), *(action for action in ACTIONS if action != "move")]
WARMUP = 50  # steps: it does not begin from nothing
VALIDATION_FILMS = 96


def config() -> VivitConfig:
    """2.3 M parameters: the shipped image encoder's sizes."""
    return VivitConfig(
        image_size=IMAGE_SIZE,
        num_frames=len(SEEN),
        tubelet_size=[TUBELET, PATCH_SIZE, PATCH_SIZE],
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=6,
        intermediate_size=4 * WIDTH,
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-5,
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
def inflate(video: VivitModel) -> None:
    """Give a ViViT the weights of the shipped image encoder.

    That encoder normalises its patches before the first block, and a ViViT does not. Taking the mean off is linear and goes
    into the weights; the spread, which differs little from patch to patch, becomes the mean spread of some frames' patches.
    """
    tower = CLIPModel.from_pretrained(Path(locate("builtin:clip")), dtype=torch.float32).vision_model
    entering = tower.embeddings(frames([make_film(seed) for seed in range(8)]).flatten(0, 1))
    norm, spread_of = tower.pre_layrnorm, entering.std(dim=-1, correction=0).mean()

    def normed(values: Tensor) -> Tensor:  # [..., 192]
        centred: Tensor = (values - values.mean(dim=-1, keepdim=True)) / spread_of * norm.weight
        return centred

    own, image = video.embeddings, tower.embeddings
    patches = normed(image.patch_embedding.weight.permute(1, 2, 3, 0)).permute(3, 0, 1, 2)  # [192, 3, 8, 8]
    own.patch_embeddings.projection.weight.copy_(patches[:, :, None].expand(-1, -1, TUBELET, -1, -1) / TUBELET)
    own.patch_embeddings.projection.bias.zero_()
    own.cls_token.copy_(normed(image.class_embedding)[None, None])
    places = normed(image.position_embedding.weight) + norm.bias
    times = TIMES_LOUD * places.std() * grid_waves(len(SEEN) // TUBELET, WIDTH)[:: len(SEEN) // TUBELET]
    own.position_embeddings[0, :1].copy_(places[:1])
    own.position_embeddings[0, 1:].copy_((places[None, 1:] + times[:, None]).flatten(0, 1))
    for layer, model in zip(video.layers, tower.encoder.layers, strict=False):  # the last of the model's is left out
        for mine, theirs in (
            (layer.attention.q_proj, model.self_attn.q_proj),
            (layer.attention.k_proj, model.self_attn.k_proj),
            (layer.attention.v_proj, model.self_attn.v_proj),
            (layer.attention.o_proj, model.self_attn.out_proj),
            (layer.layernorm_before, model.layer_norm1),
            (layer.layernorm_after, model.layer_norm2),
            (layer.mlp.fc1, model.mlp.fc1),
            (layer.mlp.fc2, model.mlp.fc2),
        ):
            mine.load_state_dict(theirs.state_dict())


class Pretraining(nn.Module):
    """A ViViT, and linear heads on its cubes."""

    def __init__(self) -> None:
        super().__init__()
        self.video = VivitModel(config(), add_pooling_layer=False)
        inflate(self.video)
        self.name, self.colour = nn.Linear(WIDTH, len(NAMES) + 1), nn.Linear(WIDTH, len(COLOURS) + 1)
        self.deed = nn.Linear(WIDTH, len(DEEDS))

    def see(self, films: Sequence[Film], kept: Tensor | None = None) -> Tensor:
        """Features `[B, L, 192]` of all cubes, or of those that are `kept` (`[B, L]`, their numbers)."""
        x = self.video.embeddings(frames(films))
        if kept is not None:
            rows = torch.cat([torch.zeros(len(kept), 1, dtype=torch.long), kept + 1], dim=1)
            x = x.gather(1, rows[..., None].expand(-1, -1, x.shape[-1]))
        for layer in self.video.layers:
            x = layer(x, None)
        seen: Tensor = self.video.layernorm(x)[:, 1:]
        return seen

    def losses(self, films: Sequence[Film], generator: torch.Generator, keep: int) -> dict[str, Tensor]:
        """`name`, `colour` and `deed` of what is in each of the `keep` cubes seen; of the background only that it is that."""
        owner = torch.stack([owner_of_cubes(film) for film in films])
        kept = None
        if keep < CUBES:
            order = torch.rand(owner.shape, generator=generator) + (owner > 0)
            kept = order.topk(keep, dim=1).indices
            owner = owner.gather(1, kept)
        tables = [torch.tensor([(0, 0, 0), *map(_labels, film.objects)]) for film in films]
        truth = torch.stack([table[row] for table, row in zip(tables, owner, strict=True)])  # [B, L, 3]
        names, colours, deeds = truth.unbind(-1)
        x, there = self.see(films, kept), owner > 0
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
    out: Path, steps: int, batch: int = 16, lr: float = 4e-4, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the ViViT, write its Hugging Face directory (bf16) with its card into `out/vivit`; validation scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        keep = KEPT if step < WHOLE_FROM * steps else CUBES
        films = [make_film(first + index) for index in range(batch)]
        return model.losses(films, torch.Generator().manual_seed(first), keep)

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.parameters(), lr)], until, WARMUP)
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
