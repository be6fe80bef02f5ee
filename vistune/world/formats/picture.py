"""`Picture`: one scene as a numbered image file; `Format`: what every file format here does with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vistune.world.digits import Split
from vistune.world.scene import Scene

DESCRIPTION = "Scenes of handwritten digits, shapes and words, drawn by vistune"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A scene, its number in the export (from 1) and the name of its image file within the images' folder."""

    number: int
    file_name: str
    scene: Scene


class Format(Protocol):
    """Collects records picture by picture and writes its files into the export's folder."""

    def add(self, picture: Picture) -> None:
        """Take in one picture."""

    def write(self, folder: Path, split: Split) -> None:
        """Write what was taken in."""
