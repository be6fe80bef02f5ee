"""`vistune pretrain masks`: a small Segment Anything, taught to cut out the object that a box or a point means.

SAM (arXiv 2304.02643): prompts are drawn from the true mask (a jittered box, a point of its ink), and the losses are a binary
cross-entropy, dice and the error of the predicted IoU. Only the output for unambiguous prompts (`multimask_output=False`) is
taught, which is the one mask heads read (LISA, arXiv 2308.00692).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import SamConfig, SamImageProcessorPil, SamModel

from vistune.model.weights.assets import locate
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.loop import adamw, pretrain
from vistune.training.steps.optimizers import inner_matrices
from vistune.world.scene import Scene, make_scene

FOLDER = "sam"
SIDE, PATCH = 64, 4
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
PROMPTS = 5  # objects asked for in a scene; those of scenes with fewer are asked for again
JITTER = 1.0  # pixels by which a box's edges are off, as a standard deviation
VALIDATION_SCENES = 96

Prompt = Literal["box", "point"]


def config() -> SamConfig:
    """0.6 M parameters that see, 0.2 M that cut out."""
    return SamConfig(
        vision_config={
            "hidden_size": 96,
            "output_channels": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": SIDE,
            "patch_size": PATCH,
            "mlp_dim": 384,
            "window_size": 8,
            "global_attn_indexes": [1, 3],
            "num_pos_feats": 32,
            "scale": 1.0,  # of the positions' random frequencies, as published; the class's own 384 makes noise of them
            "initializer_range": 0.02,
        },
        prompt_encoder_config={
            "hidden_size": 64,
            "image_size": SIDE,
            "patch_size": PATCH,
            "image_embedding_size": SIDE // PATCH,
        },
        mask_decoder_config={
            "hidden_size": 64,
            "mlp_dim": 256,
            "num_attention_heads": 4,
            "iou_head_hidden_dim": 64,
        },
    )


def processor() -> SamImageProcessorPil:
    """Pictures scaled so that the longer side has 64 pixels, and padded to a square."""
    return SamImageProcessorPil(
        size={"longest_edge": SIDE},
        pad_size={"height": SIDE, "width": SIDE},
        mask_size={"longest_edge": SIDE},
        mask_pad_size={"height": SIDE, "width": SIDE},
        image_mean=MEAN,
        image_std=STD,
    )


def pixels(scenes: Sequence[Scene]) -> Tensor:
    """`[B, 3, 64, 64]`, normalised."""
    images = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2).float() / 255
    return (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


class Pretraining(nn.Module):
    """A SAM; `losses` of a batch of scenes."""

    def __init__(self) -> None:
        super().__init__()
        self.sam = SamModel(config())

    def cut(
        self, scenes: Sequence[Scene], chosen: list[list[int]], prompt: Prompt, rng: np.random.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits and truth `[B, P, 64, 64]` and predicted IoUs `[B, P]` of the chosen objects of each scene.

        Without `rng` boxes are exact, and a point is the ink nearest to the middle of the ink.
        """
        things = [[scene.objects[index] for index in row] for scene, row in zip(scenes, chosen, strict=True)]
        masks = np.stack([[thing.mask for thing in row] for row in things])
        if prompt == "box":
            boxes = np.array([[thing.box for thing in row] for row in things])
            where = SIDE * boxes + (0 if rng is None else JITTER * rng.standard_normal(boxes.shape))
            asked = {"input_boxes": torch.from_numpy(where.clip(0, SIDE)).float()}
        else:
            points = np.array([[[point_on(mask, rng)] for mask in row] for row in masks], np.float32)
            asked = {
                "input_points": torch.from_numpy(points),
                "input_labels": torch.ones(points.shape[:-1], dtype=torch.long),
            }
        out = self.sam(pixel_values=pixels(scenes), multimask_output=False, **asked)
        return out.pred_masks[:, :, 0], torch.from_numpy(masks).float(), out.iou_scores[:, :, 0]

    def losses(self, scenes: Sequence[Scene], prompt: Prompt, rng: np.random.Generator) -> dict[str, Tensor]:
        """`ink` (cross-entropy), `dice` and `iou`."""
        chosen = [[int(index) for index in np.resize(rng.permutation(len(scene.objects)), PROMPTS)] for scene in scenes]
        logits, truth, scores = self.cut(scenes, chosen, prompt, rng)
        found = logits.sigmoid()
        overlap, sizes = (found * truth).sum((-1, -2)), found.sum((-1, -2)) + truth.sum((-1, -2))
        return {
            "ink": 10 * F.binary_cross_entropy_with_logits(logits, truth),
            "dice": (1 - (2 * overlap + 1) / (sizes + 1)).mean(),
            "iou": F.mse_loss(scores, iou(logits, truth)),
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean IoU over the objects of validation scenes, from exact boxes and from points."""
        return measure(self, "validation", VALIDATION_SCENES)


def opened(path: str) -> Pretraining:
    """A SAM by its directory or as `builtin:NAME`, as float32 and for use, not training."""
    model = Pretraining()
    model.sam = SamModel.from_pretrained(Path(locate(path)), dtype=torch.float32)
    return model.eval()


def point_on(mask: NDArray[np.bool_], rng: np.random.Generator | None) -> tuple[float, float]:
    """The middle (x, y) of a pixel of a mask: any, or, without `rng`, the one nearest to the mask's middle."""
    rows, columns = np.nonzero(mask)
    if rng is None:
        index = int(((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin())
    else:
        index = int(rng.integers(len(rows)))
    return columns[index] + 0.5, rows[index] + 0.5


def iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Of logits above zero and a true mask, `[..., H, W]` each."""
    found, wanted = logits > 0, truth > 0.5
    return (found & wanted).sum((-1, -2)) / (found | wanted).sum((-1, -2)).clamp(min=1)


@torch.no_grad()
def measure(model: Pretraining, split: Literal["validation", "test"], count: int) -> dict[str, float]:
    """Mean IoU over all objects of the first scenes of a split, from a box and from a point."""
    scores: dict[str, float] = {}
    prompts: tuple[Prompt, ...] = ("box", "point")
    for prompt in prompts:
        found: list[float] = []
        for seed in range(count):
            scene = make_scene(seed, split)
            logits, truth, _ = model.cut([scene], [list(range(len(scene.objects)))], prompt, None)
            found += iou(logits, truth).flatten().tolist()
        scores[prompt] = sum(found) / len(found)
    return scores


def optimizers(model: nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the weights of linear layers, AdamW for the rest, which is what gives a small model sharp edges in an hour."""
    inner = inner_matrices(model)
    matrices = [parameter for parameter in model.parameters() if id(parameter) in inner]
    rest = [parameter for parameter in model.parameters() if id(parameter) not in inner]
    return [torch.optim.Muon(matrices, lr=lr, weight_decay=0.01), adamw(rest, lr / 10)]


def pretrain_masks(
    out: Path, steps: int, batch: int = 8, lr: float = 1e-2, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the SAM, write its Hugging Face directory (bf16) with its card into `out/sam`; validation scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        prompt: Prompt = "box" if step % 2 else "point"
        return model.losses([make_scene(first + index) for index in range(batch)], prompt, np.random.default_rng([seed, step]))

    scores = pretrain(model, losses_at, model.validate, out, steps, optimizers(model, lr), until)
    folder = out / FOLDER
    model.sam.to(torch.bfloat16).save_pretrained(folder)
    processor().save_pretrained(folder)
    command = f"vistune pretrain masks --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.sam, (make_scene(index).image for index in range(HASHED)), scores)
    return scores
