"""Pictures are found in a folder instead of painted."""

from __future__ import annotations

from vistune.errors import InputError
from vistune.programs.gallery import Gallery as Folder
from vistune.sample import Media


class Gallery:
    """The painter `gallery`: the picture of `folder` that fits the words best, by a dual encoder."""

    def __init__(self, folder: str, encoder: str = "builtin:clip") -> None:
        self._folder = Folder(folder, encoder)

    def paint(self, kind: str, description: str) -> Media:
        """See `Painter`."""
        if kind != "image":
            raise InputError(f"a folder of pictures has no {kind}")
        return self._folder.find(description)[0]
