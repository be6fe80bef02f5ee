"""Films, sounds and clouds in the files that people have: read as their header promises, and one sentence where damaged."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistune.data.media.audio import audio_length, load_audio
from vistune.data.media.points import load_points
from vistune.data.media.video import film_header, load_video
from vistune.errors import InputError
from vistune.sample import Media

av = pytest.importorskip("av", reason="needs vistune[video]")
soundfile = pytest.importorskip("soundfile", reason="needs vistune[audio]")


def film(path: Path, codec: str, rate: Fraction, form: str = "yuv420p", **options: str) -> None:
    """24 frames of 64 x 48 that drift."""
    ground = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, form
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(np.roll(ground, (number, 2 * number), (0, 1)), format="rgb24")
            container.mux(stream.encode(frame.reformat(format=form)))
        container.mux(stream.encode())


FILMS: dict[str, tuple[str, Fraction, str]] = {
    "ten.mp4": ("libx264", Fraction(10), "yuv420p"),
    "ntsc.mp4": ("libx264", Fraction(30000, 1001), "yuv420p"),
    "sixty.mp4": ("libx264", Fraction(60), "yuv420p"),
    "a.webm": ("libvpx", Fraction(25), "yuv420p"),
    "a.gif": ("gif", Fraction(10), "rgb8"),
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_read_as_its_header_promises(name: str, tmp_path: Path) -> None:
    codec, rate, form = FILMS[name]
    film(tmp_path / name, codec, rate, form)
    medium = Media.file("video", str(tmp_path / name))
    header, clip = film_header(medium), load_video(medium, 6)
    assert header.frames == 24 and header.size == (64, 48) and clip.frames.shape == (6, 48, 64, 3)
    assert header.clock is not None
    assert np.allclose(np.diff(header.clock), float(1 / rate), atol=0.011)
    assert clip.seconds == tuple(header.clock[place] for place in (2, 6, 10, 14, 18, 22))


def test_frames_that_no_other_needs_are_skipped_without_changing_any(tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    film(path, "libx264", Fraction(25), bf="3", **{"b-adapt": "0"})
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert sum(str(frame.pict_type) in ("B", "3", "PictureType.B") for frame in frames) > 8
    every = [frame.to_ndarray(format="rgb24") for frame in frames]
    for wanted in (1, 5, 9, 24):
        clip = load_video(Media.file("video", str(path)), wanted)
        places = [(2 * part + 1) * 24 // (2 * wanted) for part in range(wanted)]
        assert np.array_equal(clip.frames, np.stack([every[place] for place in places]))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg"])
def test_a_sound_is_read_as_its_header_promises(name: str, tmp_path: Path) -> None:
    wave = np.sin(np.arange(16_000) / 20)[:, None].repeat(2, 1) * 0.5
    soundfile.write(tmp_path / name, wave, 16_000)
    medium = Media.file("audio", str(tmp_path / name))
    sound = load_audio(medium)
    assert audio_length(medium) == (len(sound.samples), sound.rate) and sound.rate == 16_000
    middle = slice(4_000, 12_000)
    assert abs(float(np.abs(sound.samples[middle]).max()) - 0.5) < 0.05


def ply(path: Path) -> None:
    rows = "\n".join(f"{n / 10} {n % 3} {n % 5} {n} {n} {n}" for n in range(50))
    named = "".join(f"property float {axis}\n" for axis in "xyz") + "".join(
        f"property uchar {colour}\n" for colour in ("red", "green", "blue")
    )
    path.write_text(f"ply\nformat ascii 1.0\nelement vertex 50\n{named}end_header\n{rows}\n")


def npy(path: Path) -> None:
    np.save(path, np.random.default_rng(0).random((50, 6), dtype=np.float32))


def off(path: Path) -> None:
    path.write_text("OFF\n4 2 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n")


CLOUDS: dict[str, Callable[[Path], None]] = {"a.ply": ply, "a.npy": npy, "a.off": off}
LOADERS: dict[str, Callable[[Media], Any]] = {
    "video": lambda medium: load_video(medium, 6),
    "audio": load_audio,
    "points": load_points,
}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_read(name: str, tmp_path: Path) -> None:
    CLOUDS[name](tmp_path / name)
    cloud = load_points(Media.file("points", str(tmp_path / name)))
    assert cloud.ndim == 2 and cloud.shape[1] >= 3 and np.isfinite(cloud).all() and len(cloud) >= 4


@pytest.mark.parametrize("name", [*FILMS, "a.wav", "a.flac", "a.mp3", "a.ogg", *CLOUDS])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_a_damaged_file_is_one_sentence(name: str, share: float, tmp_path: Path) -> None:
    """Cut off; MP3 has no length to miss what is gone, so a cut one may be read as a shorter sound."""
    path = tmp_path / name
    if name in FILMS:
        codec, rate, form = FILMS[name]
        film(path, codec, rate, form)
    elif name in CLOUDS:
        CLOUDS[name](path)
    else:
        soundfile.write(path, np.sin(np.arange(16_000) / 20) * 0.5, 16_000)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    kind: Any = "video" if name in FILMS else "points" if name in CLOUDS else "audio"
    if name in ("a.mp3", "a.webm") and share:  # no length to miss what is gone: shorter, not damaged
        try:
            assert len(LOADERS[kind](Media.file(kind, str(path))).__class__.__name__)
        except InputError as error:
            assert "\n" not in str(error)
        return
    with pytest.raises(InputError) as caught:
        LOADERS[kind](Media.file(kind, str(path)))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
