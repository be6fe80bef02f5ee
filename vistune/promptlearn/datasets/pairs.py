"""Pictures with a second modality and one label, for ViPT: objects of the world with their relief, or folders of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vistune.errors import InputError
from vistune.promptlearn.datasets import world
from vistune.sample import Media
from vistune.world.digits import Split
from vistune.world.scene import make_scene

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A picture, the same in another modality (drawn as a picture; grey is read off its colours), and its label."""

    media: Media
    second: Media
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class PairSet:
    """Class names by label, their template, pairs to learn from and to test on."""

    name: str
    names: tuple[str, ...]
    template: str
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]


def world_pairs(train: int = 20, test: int = 20, size: int = 64) -> PairSet:
    """Objects in heavy pixel noise, `train` and `test` of each class; the second modality is their relief, free of noise."""
    names = world.class_names("world")
    label = {name: i for i, name in enumerate(names)}

    def pairs(split: Split, count: int) -> tuple[Pair, ...]:
        found: dict[int, list[Pair]] = {i: [] for i in range(len(names))}
        seed = 0
        while any(len(own) < count for own in found.values()):
            scene = make_scene(seed, split, size, count=1, domain="noise")
            thing = scene.objects[0]
            own = label.get(f"{thing.size} {thing.colour} {thing.name}")
            if own is not None and len(found[own]) < count:
                relief = np.repeat(thing.mask[:, :, None].astype(np.uint8) * 255, 3, 2)
                found[own].append(Pair(Media("image", data=scene.image), Media("image", data=relief), own))
            seed += 1
        return tuple(pair for own in found.values() for pair in own)

    return PairSet("world", names, world.TEMPLATE, pairs("train", train), pairs("test", test))


def folder_pairs(root: Path, template: str = "a photo of a {}.") -> PairSet:
    """`train/rgb/CLASS/*` and `train/second/CLASS/*` by the same stems, and so for `test`; classes are the folder names.

    Raises `InputError` for what is missing.
    """
    start = root / "train" / "rgb"
    folders = sorted(path.name for path in start.glob("*") if path.is_dir()) if start.is_dir() else []
    if not folders:
        raise InputError(f"{start} holds no class folders: expected train/rgb/CLASS, train/second/CLASS and the same for test")

    def pairs(split: str) -> tuple[Pair, ...]:
        found = []
        for label, name in enumerate(folders):
            seconds = {path.stem: path for path in (root / split / "second" / name).glob("*")}
            for path in sorted((root / split / "rgb" / name).glob("*")):
                if path.suffix.lower() not in SUFFIXES:
                    continue
                if path.stem not in seconds:
                    raise InputError(f"picture {path} has no second modality in {root / split / 'second' / name}")
                second = Media("image", path=str(seconds[path.stem]))
                found.append(Pair(Media("image", path=str(path)), second, label))
        if not found:
            raise InputError(f"{root / split / 'rgb'} holds no pictures of {', '.join(folders[:3])}")
        return tuple(found)

    names = tuple(name.replace("_", " ") for name in folders)
    return PairSet(str(root), names, template, pairs("train"), pairs("test"))
