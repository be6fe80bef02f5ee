"""From a name to a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError, nearest
from vistune.files import read_json
from vistune.promptlearn.classes import Structure
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
    """The data set with the sentences of a file. Raises `InputError` for a class the data set does not have.

    A sentence is a text, or an object `{"text", "entities", "attributes", "links": [[one, other], ...]}` with its structure.
    """
    if path is None:
        return dataset
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(own, list) and own for own in content.values()):
        raise InputError(f"{path}: expected an object from class names to lists of sentences")
    known = dataset.classes()
    texts, structures = {}, {}
    for name, own in content.items():
        known.index(name)
        parsed = [_sentence(one, f"{path}: {name!r}[{i}]") for i, one in enumerate(own)]
        texts[name] = tuple(text for text, _ in parsed)
        structures[name] = tuple(structure for _, structure in parsed if structure is not None)
    return replace(dataset, descriptions=texts, structures=structures)


def _sentence(value: Any, where: str) -> tuple[str, Structure | None]:
    match value:
        case str(text):
            return text, None
        case {"text": str(text), "entities": list(entities), "attributes": list(attributes), "links": list(links)}:
            if all(isinstance(x, str) for x in (*entities, *attributes)) and all(
                isinstance(link, list) and len(link) == 2 and all(isinstance(x, str) for x in link) for link in links
            ):
                return text, Structure(tuple(entities), tuple(attributes), tuple((one, other) for one, other in links))
    raise InputError(f"{where} is {value!r}, expected a sentence or an object with text, entities, attributes and links")
