"""A folder of pictures that words are looked up in."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from torch import Tensor

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.files import escapes
from vistune.programs.likeness import Likeness
from vistune.sample import Media

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


class Gallery:
    """Pictures by what they show. `encoder` is a dual encoder's directory, hub id or `builtin:NAME`.

    Raises `InputError` for a folder without pictures; links that lead out of the folder are passed over.
    """

    def __init__(self, folder: str, encoder: str = "builtin:clip") -> None:
        root = Path(folder)
        if not root.is_dir():
            raise InputError(f"{folder} is no folder of pictures")
        self._paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES and not escapes(root, path))
        if not self._paths:
            raise InputError(f"{folder} holds no pictures ({', '.join(sorted(_SUFFIXES))})")
        self._likeness = Likeness(encoder)

    @cached_property
    def _features(self) -> Tensor:
        return self._likeness.pictures([load_image(Media.file("image", str(path))) for path in self._paths])

    def find(self, text: str, count: int = 1) -> list[Media]:
        """The `count` pictures that fit best, best first, as encoded bytes."""
        scores = (self._features @ self._likeness.texts([text]).T)[:, 0]
        # Stable, so that equal pictures come in the order of their names on every machine.
        best = scores.argsort(descending=True, stable=True)[:count].tolist()
        return [Media("image", data=self._paths[index].read_bytes()) for index in best]
