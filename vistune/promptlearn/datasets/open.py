"""From a name to a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vistune.errors import InputError, nearest
from vistune.files import read_json
from vistune.promptlearn.datasets import world
from vistune.promptlearn.datasets.aircraft import read_aircraft
from vistune.promptlearn.datasets.base import Dataset
from vistune.promptlearn.datasets.imagenet import VARIANTS, read_imagenet, read_variant
from vistune.promptlearn.datasets.split_files import LAYOUTS, read_split_file

WORLD = (*world.THINGS, *world.DOMAINS)
NAMES = ("imagenet", "fgvc_aircraft", *LAYOUTS, *VARIANTS, *WORLD)
ELEVEN = ("imagenet", "fgvc_aircraft", *LAYOUTS)


def open_dataset(name: str, root: Path | None = None, descriptions: Path | None = None) -> Dataset:
    """A data set by name, from CoOp's folder layout under `root` (the world needs none).

    `descriptions` is a JSON file {class: [sentence, ...]}. Raises `InputError` for an unknown name or missing files.
    """
    if name in WORLD:
        return with_descriptions(world.read_world(name), descriptions)
    if name not in NAMES:
        raise InputError(f"data set {name!r} is unknown{nearest(name, list(NAMES))}")
    if root is None:
        raise InputError(f"data set {name} is read from disk: give --root, the folder that holds it")
    if name == "imagenet":
        found = read_imagenet(root)
    elif name in VARIANTS:
        found = read_variant(name, root)
    else:
        found = read_aircraft(root) if name == "fgvc_aircraft" else read_split_file(name, root)
    return with_descriptions(found, descriptions)


def with_descriptions(dataset: Dataset, path: Path | None) -> Dataset:
    """The data set with the sentences of a file. Raises `InputError` for a class the data set does not have."""
    if path is None:
        return dataset
    content = read_json(path)
    if not isinstance(content, dict) or not all(
        isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts) for texts in content.values()
    ):
        raise InputError(f"{path}: expected an object from class names to lists of sentences")
    known = dataset.classes()
    for name in content:
        known.index(name)
    return replace(dataset, descriptions={name: tuple(texts) for name, texts in content.items()})
