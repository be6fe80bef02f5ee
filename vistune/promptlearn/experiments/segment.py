"""Teaching and testing DenseCLIP on pictures with masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from vistune.data.media.image import load_image
from vistune.evals.metrics.segmentation import mean_iou
from vistune.files import atomic_path, write_json
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.masks import IGNORE, Masked, MaskedSet
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.pictures.pixels import normalised, squashed
from vistune.promptlearn.towers.dense_clip import DenseClip

POWER = 0.9  # of the polynomial decay


def teach(
    model: nn.Module, losses: Callable[[Tensor], dict[str, Tensor]], count: int, steps: int, batch: int, lr: float, decay: float
) -> dict[str, float]:
    """`steps` steps of AdamW at a polynomially falling rate over random batches (`losses` gets rows); the last terms."""
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=lr, weight_decay=decay)
    terms: dict[str, Tensor] = {}
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 - step / steps) ** POWER
        terms = losses(torch.randperm(count)[:batch])
        total = torch.stack(list(terms.values())).sum()
        if not bool(torch.isfinite(total)):
            raise RuntimeError(f"{type(model).__name__}: the loss is {total.item()} at step {step}: lower the learning rate")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    model.eval()
    return {name: float(value.detach()) for name, value in terms.items()}


def write_result(out: Path, name: str, result: dict[str, Any], model: nn.Module) -> None:
    """`NAME.json` and what was learnt, `NAME.safetensors`."""
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / f"{name}.safetensors") as temporary:
        save_file({key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}, temporary)
    write_json(out / f"{name}.json", result)


def segment(
    backbone: DualEncoder, data: MaskedSet, out: Path, *, steps: int, batch: int, lr: float, seed: int, width: int = 256
) -> dict[str, Any]:
    """Teach DenseCLIP, measure mIoU on the test pictures at their own size, write `dense_clip.json`, and return it."""
    torch.manual_seed(seed)
    model = DenseClip(backbone, Classes(data.names), width=width).to(backbone.device)
    engine = Engine(backbone)
    size, classes = backbone.image_size, len(data.names)

    def losses(rows: Tensor) -> dict[str, Tensor]:
        chosen = [data.train[i] for i in rows.tolist()]
        labels = torch.stack([resized(one.labels(classes), size) for one in chosen]).to(backbone.device)
        return model.losses(engine, pictures(chosen, backbone), labels, IGNORE)

    terms = teach(model, losses, len(data.train), steps, batch, lr, 1e-4)
    guesses, truths = [], []
    for at in range(0, len(data.test), batch):
        chosen = data.test[at : at + batch]
        with torch.no_grad():
            masks = model(engine, pictures(chosen, backbone))[0]
        for mask, one in zip(masks, chosen, strict=True):
            truth = one.labels(classes)
            up = F.interpolate(mask[None], truth.shape, mode="bilinear", align_corners=False)[0]
            guesses.append(up.argmax(0).cpu().numpy())
            truths.append(truth)
    score = mean_iou(guesses, truths, classes, ignore=IGNORE)
    result = {
        "method": "dense_clip",
        "dataset": data.name,
        "backbone": backbone.identity,
        "classes": list(data.names),
        "steps": steps,
        "batch": batch,
        "lr": lr,
        "seed": seed,
        "losses": terms,
        "mean_iou": round(score.values["mIoU"], 3),
        "pixel_accuracy": round(score.values["pixel_accuracy"], 3),
    }
    write_result(out, "dense_clip", result, model)
    return result


def pictures(chosen: Sequence[Masked], backbone: DualEncoder) -> Images:
    """The pictures as squares of the encoder's size."""
    size = backbone.image_size
    return Images(normalised([squashed(load_image(one.media), size) for one in chosen], backbone))


def resized(mask: np.ndarray, size: int) -> Tensor:
    """A map of indices as a square of `size`, by the nearest pixel."""
    labels = torch.from_numpy(mask.astype(np.int64))
    return F.interpolate(labels[None, None].float(), (size, size), mode="nearest")[0, 0].long()
