"""What every reader gives: class names, a template, and labelled images in three splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vistune.errors import InputError
from vistune.files import escapes
from vistune.promptlearn.classes import Classes, Structure
from vistune.sample import Media


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled image; `label` indexes the data set's names."""

    media: Media
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """`names` by label id. `crop` is the scale range of training crops (none: no change), `flip` mirrors half."""

    name: str
    names: tuple[str, ...]
    template: str
    train: tuple[Item, ...]
    val: tuple[Item, ...]
    test: tuple[Item, ...]
    crop: tuple[float, float] | None = (0.08, 1.0)
    flip: bool = True
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    structures: Mapping[str, tuple[Structure, ...]] = field(default_factory=dict)

    def classes(self) -> Classes:
        """All classes, as a call's input."""
        return Classes(self.names, self.template, descriptions=self.descriptions, structures=self.structures)


def require(root: Path, names: Sequence[str], dataset: str) -> None:
    """Raise one `InputError` that lists every file or folder of a data set that is not there."""
    missing = [name for name in names if not (root / name).exists()]
    if missing:
        raise InputError(
            f"data set {dataset}: {root} lacks {', '.join(missing)}; expected CoOp's layout (docs/prompt_learning.md)"
        )


def inside(folder: Path, relative: str, where: str) -> str:
    """The path of an image named in a list. Raises `InputError` for one that is missing or leads out of the folder."""
    path = folder / relative
    if escapes(folder, path):
        raise InputError(f"{where}: image {relative!r} leads out of {folder}")
    if not path.is_file():
        raise InputError(f"{where}: image {path} does not exist")
    return str(path)
