"""What is wrong, or worth knowing, about one medium: it is opened, decoded and fingerprinted."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from vistune.data.check.fingerprint import Fingerprint, fingerprint
from vistune.data.media.image import MAX_PIXELS, encoded_bytes, image_size, load_image
from vistune.errors import InputError
from vistune.sample import Media

_MAGIC = {
    "video": (b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV", b"0&\xb2u"),
    "audio": (b"RIFF", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "points": (b"\x93NUMPY", b"ply", b"OFF", b"# .PCD"),
}


@dataclass(slots=True)
class MediaReport:
    """Reasons with their details, and an image's fingerprint."""

    found: list[tuple[str, str]] = field(default_factory=list)
    print: Fingerprint | None = None


def check_media(medium: Media, *, decode: bool = True) -> MediaReport:
    """Look for a medium, and with `decode` open, decode and fingerprint it; every failure is a finding."""
    report = MediaReport()
    if medium.path is not None and not os.path.isfile(medium.path):
        report.found.append(("missing_file", f"{medium.kind} {medium.path} does not exist"))
        return report
    if not decode:
        return report
    try:
        if medium.kind == "image":
            _check_image(medium, report)
        elif not isinstance(medium.data, np.ndarray):
            _check_header(medium, encoded_bytes(medium))
    except InputError as error:
        report.found.append(("undecodable", str(error)))
    return report


def _check_image(medium: Media, report: MediaReport) -> None:
    width, height = image_size(medium)
    if width * height > MAX_PIXELS:
        detail = f"image {medium.name} is {width}x{height}: more than the {MAX_PIXELS / 1e6:.0f} megapixels that are decoded"
        report.found.append(("too_large", detail))
        return
    image = load_image(medium)
    report.print = fingerprint(image)
    if report.print.flat:
        report.found.append(("one_colour", f"image {medium.name} is one colour all over"))
    if not isinstance(medium.data, np.ndarray):
        with Image.open(io.BytesIO(encoded_bytes(medium))) as stored:
            report.found += [(reason, f"image {medium.name}: {detail}") for reason, detail in _notes(stored)]


def _notes(stored: Any) -> list[tuple[str, str]]:
    notes = []
    orientation = stored.getexif().get(0x0112, 1)
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        notes.append(("exif_rotated", f"EXIF orientation {orientation}"))
    try:
        frames = getattr(stored, "n_frames", 1)  # an attribute that only some of Pillow's classes have
    except Exception:  # noqa: BLE001 - it reads on to the last frame, and broken bytes raise whatever the plugin ran into
        notes.append(("animated", "several frames, of which the first is whole and a later one is damaged"))
    else:
        notes += [("animated", f"{frames} frames")] if frames > 1 else []
    mode = stored.mode
    if mode.startswith("I;16"):
        notes.append(("sixteen_bit", "16 bits a channel"))
    if mode in ("L", "1", "LA") or mode.startswith("I;16"):
        notes.append(("grayscale", f"mode {mode}"))
    if mode in ("RGBA", "LA", "PA") or "transparency" in stored.info:
        notes.append(("alpha", f"mode {mode}"))
    if mode in ("CMYK", "P"):
        notes.append(("cmyk" if mode == "CMYK" else "palette", f"mode {mode}"))
    return notes


def _check_header(medium: Media, data: bytes) -> None:
    """Films, sounds and point clouds: the beginning must look like one. Decoding them needs libraries of their own."""
    if data.startswith(b"\x93NUMPY"):
        try:
            with io.BytesIO(data) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
        except (ValueError, OSError, EOFError, MemoryError) as error:
            raise InputError(f"{medium.kind} {medium.name} is no whole NumPy array: {error}") from error
        if medium.kind == "points" and not (array.ndim == 2 and array.shape[1] >= 3 and np.isfinite(array).all()):
            raise InputError(f"points {medium.name} are {list(array.shape)}, expected finite numbers [N, 3 or more]")
        return
    if medium.kind == "video" and data[4:8] == b"ftyp":
        return
    if medium.path is not None and medium.path.endswith((".nii", ".nii.gz", ".xyz", ".glb", ".obj")):
        if not data:
            raise InputError(f"{medium.kind} {medium.name} is empty")
        return
    if not data.startswith(_MAGIC[medium.kind]):
        raise InputError(f"{medium.kind} {medium.name} does not begin like {medium.kind} in a known format")
