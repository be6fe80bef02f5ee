"""FGVC-Aircraft in its official layout: `variants.txt` and one list a split, `image class name` a line."""

from __future__ import annotations

from pathlib import Path

from vistune.errors import InputError
from vistune.promptlearn.datasets.base import Dataset, Item, inside, require
from vistune.promptlearn.templates import BY_DATASET
from vistune.sample import Media


def read_aircraft(root: Path) -> Dataset:
    """The 100 variants. Raises `InputError` for missing files and names that `variants.txt` does not list."""
    folder = root / "fgvc_aircraft"
    lists = [f"images_variant_{split}.txt" for split in ("train", "val", "test")]
    require(folder, ["images", "variants.txt", *lists], "fgvc_aircraft")
    names = tuple(line for line in (folder / "variants.txt").read_text(encoding="utf-8").splitlines() if line)
    labels = {variant: i for i, variant in enumerate(names)}
    train, val, test = (_items(folder, folder / name, labels) for name in lists)
    return Dataset("fgvc_aircraft", names, BY_DATASET["fgvc_aircraft"], train, val, test)


def _items(folder: Path, path: Path, labels: dict[str, int]) -> tuple[Item, ...]:
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        image, _, name = line.partition(" ")
        where = f"{path}: line {number}"
        if name not in labels:
            raise InputError(f"{where}: variant {name!r} is not in variants.txt")
        items.append(Item(Media.file("image", inside(folder / "images", f"{image}.jpg", where)), labels[name]))
    if not items:
        raise InputError(f"{path} lists no image")
    return tuple(items)
