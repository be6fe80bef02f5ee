"""Teaching and testing ViPT's modality prompts on pictures with a second modality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.data.media.image import load_image
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.pairs import Pair, PairSet
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.segment import teach, write_result
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.pictures.pixels import normalised, squashed
from vistune.promptlearn.towers.two_stream import TwoStream


def tune_modality(
    backbone: DualEncoder, data: PairSet, out: Path, *, steps: int, batch: int, lr: float, seed: int, channels: int = 1
) -> dict[str, Any]:
    """Teach modality prompts, test them and the frozen encoder without them, write `vipt.json`, and return it.

    `channels` of the second modality: 1 (grey) or 3 (its colours).
    """
    torch.manual_seed(seed)
    classes = Classes(data.names, data.template)
    model = TwoStream(backbone, channels=channels).to(backbone.device)
    engine = Engine(backbone)

    def losses(rows: Tensor) -> dict[str, Tensor]:
        chosen = [data.train[i] for i in rows.tolist()]
        labels = torch.tensor([one.label for one in chosen], device=backbone.device)
        logits = model(engine, pictures(chosen, backbone), seconds(chosen, backbone, channels), classes)
        return {"cross_entropy": F.cross_entropy(logits, labels)}

    terms = teach(model, losses, len(data.train), steps, batch, lr, 1e-4)
    right = {"rgb": 0, "both": 0}
    text = engine.text(classes).features
    for at in range(0, len(data.test), batch):
        chosen = data.test[at : at + batch]
        labels = torch.tensor([one.label for one in chosen], device=backbone.device)
        shown = pictures(chosen, backbone)
        with torch.no_grad():
            both = model(engine, shown, seconds(chosen, backbone, channels), classes)
            alone = backbone.logits(engine.image(shown).features, text)
        for name, logits in (("rgb", alone), ("both", both)):
            right[name] += int((logits.argmax(1) == labels).sum())
    result = {
        "method": "vipt",
        "dataset": data.name,
        "backbone": backbone.identity,
        "classes": list(data.names),
        "channels": channels,
        "steps": steps,
        "batch": batch,
        "lr": lr,
        "seed": seed,
        "losses": terms,
        "accuracy": {name: round(100 * count / len(data.test), 3) for name, count in right.items()},
        "trainable": sum(parameter.numel() for parameter in model.parameters()),
    }
    write_result(out, "vipt", result, model)
    return result


def pictures(chosen: Sequence[Pair], backbone: DualEncoder) -> Images:
    """The pictures as squares of the encoder's size."""
    size = backbone.image_size
    return Images(normalised([squashed(load_image(one.media), size) for one in chosen], backbone))


def seconds(chosen: Sequence[Pair], backbone: DualEncoder, channels: int) -> Tensor:
    """The second modality `[B, channels, H, W]` in -1 .. 1."""
    size = backbone.image_size
    mode = "L" if channels == 1 else "RGB"
    drawn = [np.asarray(squashed(load_image(one.second), size).convert(mode), np.float32) for one in chosen]
    stacked = torch.from_numpy(np.stack(drawn) / 127.5 - 1)
    stacked = stacked[:, None] if channels == 1 else stacked.permute(0, 3, 1, 2)
    return stacked.to(backbone.device)
