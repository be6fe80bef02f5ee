"""Label maps as results: a folder of PNG files, or run lengths by name, read to arrays of whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.data.media.image import load_labels
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.reading.sources import Content
from vistune.files import kept
from vistune.sample import Media

Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]


def png_predictions(content: Content) -> list[Prediction] | None:
    """A prediction a PNG file of a folder, named by the file, its path in the extra `map`; `None` for anything else."""
    if content.form != "folder":
        return None
    found = [held for held in content.value.values() if held.form == "image"]
    return [Prediction(held.path.stem, "", extras={"map": str(held.path)}) for held in found] or None


def run_length_predictions(content: Content) -> list[Prediction] | None:
    """A prediction a name of `{name: {"size", "counts"}}`, in the extra `mask`; `None` for anything else."""
    value = content.value
    if content.form != "json" or not isinstance(value, dict) or not value:
        return None
    if not all(isinstance(mask, dict) and {"size", "counts"} <= mask.keys() for mask in value.values()):
        return None
    return [Prediction(name, "", extras={"mask": mask}) for name, mask in value.items()]


def nested_maps(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Of each folder in a folder: its name, and its PNG files' paths by their stems."""
    for inner in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        files = sorted(file for file in kept(folder, inner).iterdir() if file.suffix.lower() == ".png")
        if files:
            yield inner.name, {file.stem: str(kept(folder, file)) for file in files}


def labels_at(path: Any, where: str) -> Labels:
    """The label map in a file, `[H, W]`. Raises `InputError` for what is no path of one."""
    if not isinstance(path, str):
        raise InputError(f"{where}: {str(path)[:60]!r} is no path of a label map")
    return load_labels(Media.file("image", path), where)


def predicted_mask(prediction: Prediction, shape: tuple[int, int], where: str) -> Mask:
    """A prediction's mask `[H, W]`: run lengths in the extra `mask`, or a label map in `map`, of which all but 0 counts.

    Without either it is empty. Raises `InputError` for a mask of another size.
    """
    here = f"prediction of {where}"
    if "mask" in prediction.extras:
        return instance_mask(prediction.extras["mask"], (shape[1], shape[0]), here)
    if "map" not in prediction.extras:
        return np.zeros(shape, dtype=bool)
    found = labels_at(prediction.extras["map"], here) > 0
    if found.shape != shape:
        raise InputError(f"{here}: the mask is {found.shape}, its reference {shape}")
    return np.asarray(found)
