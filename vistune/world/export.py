"""`export`: a part of the world as files in the field's own formats."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from PIL import Image

from vistune.errors import InputError
from vistune.progress import track
from vistune.world.digits import Split
from vistune.world.formats.coco import Coco
from vistune.world.formats.llava import Llava
from vistune.world.formats.picture import Format, Picture
from vistune.world.formats.pope import Pope
from vistune.world.formats.refcoco import Refcoco
from vistune.world.formats.vqa import Vqa
from vistune.world.instructions import scene_seed
from vistune.world.scene import make_scene


def export(folder: Path, split: Split = "train", size: int = 1000, seed: int = 0, pixels: int = 64) -> list[Path]:
    """Write `size` scenes as PNG and their truth as COCO, VQA v2, LLaVA, POPE and RefCOCO files; returns the files' paths.

    They are the scenes the reader `world` gives for the same split and seed. The folder appears whole at the end, or not at
    all. Raises `InputError` when it is already there, or when `size` is below one.
    """
    if size < 1:
        raise InputError(f"an export has at least one picture, not {size}")
    if folder.exists():
        raise InputError(f"{folder} is already there: name a folder that is not")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        _write(part, split, size, seed, pixels)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".png")


def _write(folder: Path, split: Split, size: int, seed: int, pixels: int) -> None:
    formats: tuple[Format, ...] = (Coco(), Vqa(), Llava(), Pope(), Refcoco())
    (folder / "images").mkdir(parents=True)
    for index in track(range(size), "drawing scenes", size):
        scene = make_scene(scene_seed(seed, index), split, pixels)
        picture = Picture(index + 1, f"{index + 1:012d}.png", scene)
        Image.fromarray(scene.image).save(folder / "images" / picture.file_name)
        for one in formats:
            one.add(picture)
    for one in formats:
        one.write(folder, split)
