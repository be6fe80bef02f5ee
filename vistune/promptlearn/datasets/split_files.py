"""The nine data sets whose splits CoOp published as `split_zhou_*.json`: {"train": [[image, label, name], ...], ...}."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import read_json
from vistune.promptlearn.datasets.base import Dataset, Item, inside, require
from vistune.promptlearn.templates import BY_DATASET
from vistune.sample import Media


@dataclass(frozen=True, slots=True)
class Layout:
    """Folder of the data set, folder of its images inside, its split file."""

    folder: str
    images: str
    splits: str


LAYOUTS = {
    "caltech101": Layout("caltech-101", "101_ObjectCategories", "split_zhou_Caltech101.json"),
    "oxford_pets": Layout("oxford_pets", "images", "split_zhou_OxfordPets.json"),
    "stanford_cars": Layout("stanford_cars", ".", "split_zhou_StanfordCars.json"),
    "oxford_flowers": Layout("oxford_flowers", "jpg", "split_zhou_OxfordFlowers.json"),
    "food101": Layout("food-101", "images", "split_zhou_Food101.json"),
    "sun397": Layout("sun397", "SUN397", "split_zhou_SUN397.json"),
    "dtd": Layout("dtd", "images", "split_zhou_DescribableTextures.json"),
    "eurosat": Layout("eurosat", "2750", "split_zhou_EuroSAT.json"),
    "ucf101": Layout("ucf101", "UCF-101-midframes", "split_zhou_UCF101.json"),
}


def read_split_file(name: str, root: Path) -> Dataset:
    """One of the nine. Raises `InputError` for missing files, broken records and labels that disagree about a name."""
    layout = LAYOUTS[name]
    folder = root / layout.folder
    require(folder, [layout.images, layout.splits], name)
    path = folder / layout.splits
    content = read_json(path)
    if not isinstance(content, dict) or not {"train", "val", "test"} <= content.keys():
        raise InputError(f"{path}: expected an object with the lists 'train', 'val' and 'test'")
    names: dict[int, str] = {}
    train, val, test = (
        _items(content[split], split, path, folder / layout.images, names) for split in ("train", "val", "test")
    )
    if sorted(names) != list(range(len(names))):
        raise InputError(f"{path}: labels are not 0 to {len(names) - 1}: {sorted(names)[:5]} ...")
    return Dataset(name, tuple(names[i] for i in range(len(names))), BY_DATASET[name], train, val, test)


def _items(records: Any, split: str, path: Path, images: Path, names: dict[int, str]) -> tuple[Item, ...]:
    if not isinstance(records, list):
        raise InputError(f"{path}: {split!r} is not a list")
    items = []
    for number, record in enumerate(records):
        where = f"{path}: {split}[{number}]"
        match record:
            case [str(image), int(label), str(name)]:
                spoken = name.replace("_", " ")
                if names.setdefault(label, spoken) != spoken:
                    raise InputError(f"{where}: label {label} is {spoken!r} here and {names[label]!r} before")
                items.append(Item(Media.file("image", inside(images, image, where)), label))
            case _:
                raise InputError(f"{where} is {record!r}, expected [image, label, class name]")
    if not items:
        raise InputError(f"{path}: {split!r} is empty")
    return tuple(items)
