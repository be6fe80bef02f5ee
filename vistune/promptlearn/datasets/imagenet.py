"""ImageNet and its four variants, as CoOp lays them out: class folders and `classnames.txt` (`n01440764 tench` a line)."""

from __future__ import annotations

from pathlib import Path

from vistune.errors import InputError
from vistune.promptlearn.datasets.base import Dataset, Item, require
from vistune.promptlearn.templates import BY_DATASET
from vistune.sample import Media

SUFFIXES = {".jpeg", ".jpg", ".png"}
# Where the class folders of each variant lie; V2 numbers them by label, the others use WordNet ids.
VARIANTS = {
    "imagenetv2": "imagenetv2/imagenetv2-matched-frequency-format-val",
    "imagenet_sketch": "imagenet-sketch/images",
    "imagenet_a": "imagenet-adversarial/imagenet-a",
    "imagenet_r": "imagenet-rendition/imagenet-r",
}


def read_imagenet(root: Path) -> Dataset:
    """Train and validation folders; the validation images are the test set, as everywhere in this literature.

    Files are taken in sorted order: the published few-shot samples followed the order of the author's file system.
    """
    folder = root / "imagenet"
    require(folder, ["classnames.txt", "images/train", "images/val"], "imagenet")
    ids, names = class_names(folder / "classnames.txt")
    train = _items(folder / "images/train", {one: i for i, one in enumerate(ids)}, every=True)
    test = _items(folder / "images/val", {one: i for i, one in enumerate(ids)}, every=True)
    return Dataset("imagenet", names, BY_DATASET["imagenet"], train, (), test)


def read_variant(name: str, root: Path) -> Dataset:
    """A variant's images with ImageNet's names; A and R hold 200 of the classes, and only those are candidates."""
    require(root, ["imagenet/classnames.txt", VARIANTS[name]], name)
    ids, names = class_names(root / "imagenet" / "classnames.txt")
    folders = {str(i): i for i in range(len(ids))} if name == "imagenetv2" else {one: i for i, one in enumerate(ids)}
    items = _items(root / VARIANTS[name], folders, every=False)
    present = sorted({item.label for item in items})
    place = {label: i for i, label in enumerate(present)}
    test = tuple(Item(item.media, place[item.label]) for item in items)
    return Dataset(name, tuple(names[label] for label in present), BY_DATASET["imagenet"], (), (), test)


def class_names(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """WordNet ids and names, in label order."""
    ids, names = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        one, _, name = line.strip().partition(" ")
        if not name:
            raise InputError(f"{path}: line {number} is {line!r}, expected a WordNet id and a name")
        ids.append(one)
        names.append(name)
    return tuple(ids), tuple(names)


def _items(folder: Path, labels: dict[str, int], *, every: bool) -> tuple[Item, ...]:
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    unknown = [name for name in found if name not in labels]
    if unknown:
        raise InputError(f"{folder} has the folder {unknown[0]!r}, which classnames.txt does not list")
    missing = [name for name in labels if name not in set(found)]
    if every and missing:
        raise InputError(f"{folder} lacks the class folder {missing[0]!r}")
    items = []
    for name in found:
        files = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        items += [Item(Media.file("image", str(path)), labels[name]) for path in files]
    if not items:
        raise InputError(f"{folder} holds no image")
    return tuple(items)
