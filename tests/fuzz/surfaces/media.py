"""Pictures, films, sounds and clouds of every kind that is read.

What must hold: a file that was cut is refused, or gives what the whole one gave; header and content agree on the size; sounds
and clouds are numbers; two looks see the same.
"""

from __future__ import annotations

import io
import random
import struct
import wave
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.changes import raw
from tests.fuzz.oracles import Case, Changed
from vistune.data.check.media_rules import check_media
from vistune.data.media.audio import audio_length, load_audio
from vistune.data.media.image import image_size, load_image, load_labels
from vistune.data.media.points import load_points
from vistune.data.media.video import film_header, load_video
from vistune.errors import InputError
from vistune.sample import Media

_FRAMES = 4  # as many as the check of data looks at


class Surface:
    """Bases of every kind, damaged in their bytes, their chunks and their lengths."""

    def __init__(self, folder: Path) -> None:
        self._bases = {**pictures(), **sounds(), **clouds(), **films(folder)}
        self._names = sorted(self._bases)
        self._whole = {name: seen(kind, data) for name, (kind, data) in self._bases.items()}

    def make(self, chance: random.Random, room: Path) -> Case:
        """One damaged medium, in a file, in memory or in the middle of a file."""
        name = chance.choice(self._names)
        kind, data = self._bases[name]
        others = [other for of, other in self._bases.values() if of == kind]
        how = chance.choice(("bytes", "bytes", "bytes", "cut", "cut", "closed", "chunks", "other kind"))
        changed, told = data, kind
        if how == "bytes":
            changed = raw(data, chance, others)
        elif how == "cut":
            changed = data[: chance.randrange(len(data))]
        elif how == "closed":
            changed = data[: chance.randrange(len(data))] + data[-chance.choice((2, 8, 12)) :]
        elif how == "chunks":
            changed = _resealed(raw(data, chance)) if name.startswith("png") else raw(raw(data, chance), chance)
        else:
            told = chance.choice(("image", "audio", "video", "points"))
        medium = _medium(told, changed, room, name, chance)
        whole = self._whole[name] if how == "cut" else None
        return Case(f"{name.partition(' ')[0]} {how}", lambda: _check(medium, whole))


def _medium(kind: Any, data: bytes, room: Path, name: str, chance: random.Random) -> Media:
    how = chance.choice(("file", "memory", "range"))
    if how == "memory":
        return Media(kind, data=data)
    file = room / f"medium.{name.partition(' ')[0]}"
    if how == "file":
        file.write_bytes(data)
        return Media.file(kind, str(file))
    file.write_bytes(b"x" * 50 + data + b"y" * 50)
    return Media(kind, path=str(file), offset=50, length=len(data))


def _look(kind: str, medium: Media) -> Any:
    """A medium decoded: an array, whatever its kind."""
    if kind == "image":
        return np.asarray(load_image(medium))
    if kind == "audio":
        return load_audio(medium).samples
    return load_points(medium) if kind == "points" else load_video(medium, _FRAMES).frames


def seen(kind: str, data: bytes) -> Any:
    """What the whole file shows."""
    return _look(kind, Media(kind, data=data))  # type: ignore[arg-type]


def _check(medium: Media, whole: Any) -> None:
    found = _look(medium.kind, medium)
    if whole is not None and not (found.shape == whole.shape and np.array_equal(found, whole)):
        raise Changed(f"a {medium.kind} that was cut was read as another: {whole.shape} became {found.shape}")
    if not np.isfinite(found).all():
        raise Changed(f"a {medium.kind} holds what is no number")
    if not np.array_equal(found, _look(medium.kind, medium)):
        raise Changed(f"a {medium.kind} was read twice, as two things")
    _agree(medium, found)
    if undecodable := [detail for reason, detail in check_media(medium).found if reason == "undecodable"]:
        raise Changed(f"what is read is called undecodable: {undecodable[0]}")


def _agree(medium: Media, found: Any) -> None:
    """Headers, which decide how many tokens there are, say what was decoded."""
    if medium.kind == "image":
        if image_size(medium) != (found.shape[1], found.shape[0]):
            raise Changed(f"a picture of {found.shape} says it is {image_size(medium)}")
        _or_refused(lambda: load_labels(medium))
    elif medium.kind == "audio":
        if audio_length(medium)[0] != len(found):
            raise Changed(f"a sound of {len(found)} samples says it has {audio_length(medium)[0]}")
    elif medium.kind == "video":
        header = film_header(medium)
        if header.size != (found.shape[2], found.shape[1]) or len(found) != min(header.frames, _FRAMES):
            raise Changed(f"a film of {found.shape} says it is {header}")


def _or_refused(look: Callable[[], Any]) -> None:
    try:
        look()
    except InputError as error:
        assert "\n" not in str(error)  # an AssertionError is a finding


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures() -> dict[str, tuple[str, bytes]]:
    """Small pictures in every format and mode."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (19, 23, 3), dtype=np.uint8))
    frames = [noise.rotate(90 * turn) for turn in range(1, 3)]
    exif = Image.Exif()
    exif[0x0112] = 6
    moving = {"save_all": True, "append_images": frames, "duration": 50}
    made = {f"png {mode}": _encoded(noise.convert(mode), "PNG") for mode in ("RGB", "L", "P", "1", "LA", "RGBA")}
    made["png I;16"] = _encoded(Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 150), "PNG")
    made["png exif"] = _encoded(noise, "PNG", exif=exif)
    made["jpeg"] = _encoded(noise, "JPEG")
    made["jpeg progressive"] = _encoded(noise, "JPEG", progressive=True)
    made["jpeg L"] = _encoded(noise.convert("L"), "JPEG", restart_marker_blocks=1)
    made["jpeg CMYK"] = _encoded(noise.convert("CMYK"), "JPEG")
    made["jpeg exif"] = _encoded(noise, "JPEG", exif=exif)
    made |= {"webp": _encoded(noise, "WEBP"), "webp exact": _encoded(noise, "WEBP", lossless=True)}
    made |= {"webp moving": _encoded(noise, "WEBP", **moving), "gif moving": _encoded(noise.convert("P"), "GIF", **moving)}
    made |= {"gif": _encoded(noise.convert("P"), "GIF"), "tiff": _encoded(noise, "TIFF"), "bmp": _encoded(noise, "BMP")}
    made |= {f"tiff {how}": _encoded(noise, "TIFF", compression=how) for how in ("tiff_lzw", "tiff_deflate", "jpeg")}
    made |= {"tiff I;16": _encoded(Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20)), "TIFF")}
    made |= {"ppm": _encoded(noise, "PPM"), "jp2": _encoded(noise, "JPEG2000")}
    if "AVIF" in Image.SAVE:
        made["avif"] = _encoded(noise, "AVIF")
    return {name: ("image", data) for name, data in made.items()}


def sounds() -> dict[str, tuple[str, bytes]]:
    """A tenth of a second in every format."""
    import soundfile

    tone = (np.sin(np.arange(1600) / 9) * 0.9)[:, None].repeat(2, 1)
    made = {}
    for width in (1, 2, 3, 4):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((2, width, 16000, 0, "NONE", ""))
            whole = np.round(tone * (2 ** (8 * width - 1) - 1)).astype(np.int64) + (128 if width == 1 else 0)
            file.writeframes(whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes())
        made[f"wav {8 * width}"] = buffer.getvalue()
    others = {
        "wav float": ("WAV", "FLOAT"),
        "flac": ("FLAC", "PCM_16"),
        "ogg": ("OGG", "VORBIS"),
        "mp3": ("MP3", "MPEG_LAYER_III"),
    }
    for name, (kind, subtype) in others.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, tone, 16000, format=kind, subtype=subtype)
        made[name] = buffer.getvalue()
    return {name: ("audio", data) for name, data in made.items()}


def clouds() -> dict[str, tuple[str, bytes]]:
    """Twenty points in every format."""
    points = np.random.default_rng(1).random((20, 6)).astype(np.float32)
    buffer, packed = io.BytesIO(), io.BytesIO()
    np.save(buffer, points)
    np.savez_compressed(packed, points=points)
    rows = "\n".join(" ".join(map(repr, row)) for row in points[:, :3].astype(float).tolist()) + "\n"
    head = "ply\nformat {} 1.0\nelement vertex 20\n" + "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    made = {"npy": buffer.getvalue(), "npz": packed.getvalue(), "off": f"OFF\n20 1 0\n{rows}3 0 1 2\n".encode()}
    faced = head.format("ascii").replace("end_header", "element face 1\nproperty list uchar int vertex_indices\nend_header")
    made["ply ascii"] = f"{faced}{rows}3 0 1 2\n".encode()
    made["ply binary"] = head.format("binary_little_endian").encode() + points[:, :3].tobytes()
    return {name: ("points", data) for name, data in made.items()}


def films(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Six frames in every container."""
    import av

    made = {}
    for name, codec in (("mp4", "libx264"), ("mkv", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")):
        path = folder / f"film.{name}"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            for number in range(6):
                pixels = np.full((32, 32, 3), 40 * number, np.uint8)
                pixels[:, :10] = 0
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
        made[name] = ("video", path.read_bytes())
    return made


def _resealed(data: bytes) -> bytes:
    """A PNG whose chunks carry right checksums again, so that what is in them is read."""
    place, made = 8, bytearray(data[:8])
    while place + 12 <= len(data):
        size = struct.unpack(">I", data[place : place + 4])[0]
        body = data[place + 4 : place + 8 + size]
        made += data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return bytes(made + data[place:])
