"""`SenseFormat`: what every file format of films, sounds, solids, pages and edits does with a sample; and media as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from vistune.errors import MissingExtraError
from vistune.files import atomic_open
from vistune.sample import Media, Sample
from vistune.world.digits import Split

SPLIT_NAMES: dict[Split, str] = {"train": "train", "validation": "val", "test": "test"}
_RATE = 8  # frames a second of the world's films


class SenseFormat(Protocol):
    """Collects records sample by sample and writes its files into the export's folder."""

    def __init__(self, folder: Path, split: Split) -> None: ...

    def add(self, number: int, sample: Sample) -> None:
        """Take in sample `number` (from 1) and write its media."""

    def write(self) -> None:
        """Write what was taken in."""


def question_of(sample: Sample) -> str:
    """The question in words."""
    return sample.turns[0].text.strip()


def save_video(medium: Media, path: Path) -> None:
    """Write a film as MP4 (H.264 of RGB without loss: every pixel reads back). `MissingExtraError` without PyAV."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", f"writing {path}") from error
    frames = medium.data
    assert isinstance(frames, np.ndarray)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=_RATE, options={"qp": "0", "preset": "ultrafast"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "rgb24"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def save_gif(medium: Media, path: Path) -> None:
    """Write a film as an animated GIF, which has 256 colours a frame: those of each frame itself, without dithering."""
    frames = medium.data
    assert isinstance(frames, np.ndarray)
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = [Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE) for frame in frames]
    first, *rest = colours
    # A frame that is the same as the last would be dropped and the film be shorter: `optimize` off keeps every palette apart.
    first.save(path, save_all=True, append_images=rest, duration=1000 // _RATE, loop=0, optimize=False, disposal=1)


def save_bytes(medium: Media, path: Path) -> None:
    """Write an encoded medium as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(medium.read_bytes())


def save_picture(medium: Media, path: Path) -> None:
    """Write a picture as PNG."""
    assert isinstance(medium.data, np.ndarray)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(medium.data).save(path)


def save_ply(medium: Media, path: Path) -> None:
    """Write a coloured cloud as binary PLY, all values as 32-bit floats, so that nothing is rounded."""
    points = medium.data
    assert isinstance(points, np.ndarray)
    names = ("x", "y", "z", "red", "green", "blue")
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    header += [*(f"property float {name}" for name in names), "end_header", ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(header).encode() + points.astype("<f4").tobytes())


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str = ",") -> None:
    """A CSV file with a header."""
    import csv

    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path) as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
