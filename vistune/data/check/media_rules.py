"""What is wrong, or worth knowing, about one medium: it is opened, decoded and fingerprinted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vistune.data.check.fingerprint import Fingerprint, fingerprint
from vistune.data.media.audio import load_audio
from vistune.data.media.image import MAX_PIXELS, encoded_bytes, image_size, load_image, stored_image
from vistune.data.media.points import load_points
from vistune.data.media.video import load_video
from vistune.errors import InputError, MissingExtraError, reading
from vistune.sample import Media

_MAGIC = {
    "video": (b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV", b"0&\xb2u"),
    "audio": (b"RIFF", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "points": (b"\x93NUMPY", b"ply", b"OFF"),
}
_UNREAD = (".nii", ".nii.gz", ".xyz", ".glb", ".obj", ".pcd")
_FRAMES = 4  # of a film: from its beginning to its end


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
        else:
            _check_other(medium)
    except InputError as error:
        report.found.append(("undecodable", str(error)))
    return report


def _check_image(medium: Media, report: MediaReport) -> None:
    width, height = image_size(medium)
    # From the header alone: decoding such a picture is what the limit is there to prevent.
    if width * height > MAX_PIXELS:
        detail = f"image {medium.name} is {width}x{height}: more than the {MAX_PIXELS / 1e6:.0f} megapixels that are decoded"
        report.found.append(("too_large", detail))
        return
    image = load_image(medium)
    report.print = fingerprint(image)
    if report.print.flat:
        report.found.append(("one_colour", f"image {medium.name} is one colour all over"))
    if not isinstance(medium.data, np.ndarray):
        with stored_image(medium) as stored:
            report.found += [(reason, f"image {medium.name}: {detail}") for reason, detail in _notes(stored)]


def _notes(stored: Any) -> list[tuple[str, str]]:
    notes = []
    orientation = stored.getexif().get(0x0112, 1)
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        notes.append(("exif_rotated", f"EXIF orientation {orientation}"))
    try:
        with reading("its later frames"):
            frames = getattr(stored, "n_frames", 1)  # an attribute that only some of Pillow's classes have
    except InputError:  # it reads on to the last frame
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


def _check_other(medium: Media) -> None:
    """Films, sounds and clouds are opened as training opens them; without the library for it, their beginning is looked at."""
    if medium.path is not None and medium.path.endswith(_UNREAD):
        if not encoded_bytes(medium):
            raise InputError(f"{medium.kind} {medium.name} is empty")
        return
    try:
        if medium.kind == "video":
            load_video(medium, _FRAMES)
        elif medium.kind == "audio":
            load_audio(medium)
        else:
            load_points(medium)
    except MissingExtraError:
        data = encoded_bytes(medium)
        # MP4's signature stands behind four bytes of length.
        if not data.startswith(_MAGIC[medium.kind]) and not (medium.kind == "video" and data[4:8] == b"ftyp"):
            raise InputError(f"{medium.kind} {medium.name} does not begin like {medium.kind} in a known format") from None
