"""Pictures with a class for every pixel, for DenseCLIP: scenes of the world, or folders of pictures and masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vistune.errors import InputError
from vistune.sample import Media
from vistune.world import palette
from vistune.world.digits import Split
from vistune.world.scene import make_scene

IGNORE = 255  # pixels of no class
WORLD_NAMES = ("background", *(f"{colour} thing" for colour in palette.NAMES))
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """A picture and its map of class indices: an array `[H, W]` or the path of a PNG that holds one."""

    media: Media
    mask: NDArray[np.uint8] | Path

    def labels(self, classes: int) -> NDArray[np.uint8]:
        """The map `[H, W]`. Raises `InputError` for a file that is none, or for an index of no class."""
        if isinstance(self.mask, np.ndarray):
            return self.mask
        try:
            with Image.open(self.mask) as image:
                found = np.asarray(image)
        except OSError as error:
            raise InputError(f"{self.mask} is no readable mask: {error}") from error
        if found.ndim != 2:
            raise InputError(f"{self.mask} has {found.shape[2]} channels: a mask is a PNG of class indices (mode L or P)")
        odd = set(np.unique(found).tolist()) - {*range(classes), IGNORE}
        if odd:
            raise InputError(
                f"{self.mask} holds index {min(odd)}: there are classes 0 to {classes - 1}, and {IGNORE} is no class"
            )
        return found.astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class MaskedSet:
    """Class names by index, pictures to learn from and to test on."""

    name: str
    names: tuple[str, ...]
    train: tuple[Masked, ...]
    test: tuple[Masked, ...]


def world_masks(train: int = 400, test: int = 100, size: int = 64) -> MaskedSet:
    """Scenes of the world; a pixel's class is the colour of the thing it lies on, or background."""

    def scenes(split: Split, count: int) -> tuple[Masked, ...]:
        found = []
        for seed in range(count):
            scene = make_scene(seed, split, size)
            mask = np.zeros((size, size), np.uint8)
            for thing in scene.objects:
                mask[thing.mask] = WORLD_NAMES.index(f"{thing.colour} thing")
            found.append(Masked(Media("image", data=scene.image), mask))
        return tuple(found)

    return MaskedSet("world", WORLD_NAMES, scenes("train", train), scenes("test", test))


def folder_masks(root: Path) -> MaskedSet:
    """`classes.txt` (a name a line), `train/images`, `train/masks`, `test/images`, `test/masks`.

    A mask has its picture's name and ends in `.png`. Raises `InputError` for what is missing.
    """
    listing = root / "classes.txt"
    if not listing.is_file():
        raise InputError(f"{root} has no classes.txt: write one class name a line, in the order of the mask's indices")
    names = tuple(line.strip() for line in listing.read_text().splitlines() if line.strip())

    def pictures(split: str) -> tuple[Masked, ...]:
        folder = root / split / "images"
        found = []
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            if path.suffix.lower() in SUFFIXES:
                mask = root / split / "masks" / f"{path.stem}.png"
                if not mask.is_file():
                    raise InputError(f"picture {path} has no mask {mask}")
                found.append(Masked(Media("image", path=str(path)), mask))
        if not found:
            raise InputError(f"{folder} holds no pictures")
        return tuple(found)

    return MaskedSet(str(root), names, pictures("train"), pictures("test"))
