"""Films: the frames that were asked for, upright, at their times; what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistune.data.media.sampling import spread
from vistune.data.media.video import load_video
from vistune.errors import InputError
from vistune.sample import Media

av = pytest.importorskip("av", reason="needs vistune[video]")
STEP = 12  # brightness from one frame to the next


def film(path: Path, count: int, codec: str, size: tuple[int, int] = (64, 32), keys: int = 5) -> Path:
    """Frame `n` is `STEP * n` bright, its left third dark; 10 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", keys
        for number in range(count):
            pixels = np.full((size[1], size[0], 3), STEP * number, np.uint8)
            pixels[:, : size[0] // 3] = 0
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def numbers(frames: np.ndarray) -> list[int]:
    return [round(float(frame[:, frame.shape[1] // 2 :].mean()) / STEP) for frame in frames]


@pytest.mark.parametrize(
    ("count", "wanted", "places"), [(10, 2, [2, 7]), (10, 5, [1, 3, 5, 7, 9]), (3, 8, [0, 1, 2]), (1, 1, [0])]
)
def test_frames_are_the_middles_of_equal_parts(count: int, wanted: int, places: list[int]) -> None:
    assert spread(count, wanted) == places


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mp4", "mpeg4"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx")],
)
@pytest.mark.parametrize("wanted", [1, 4, 20, 50])
def test_the_frames_asked_for_come_from_every_container(name: str, codec: str, wanted: int, tmp_path: Path) -> None:
    clip = load_video(Media.file("video", str(film(tmp_path / name, 20, codec))), wanted)
    assert clip.frames.shape == (min(wanted, 20), 32, 64, 3) and clip.frames.dtype == np.uint8
    assert numbers(clip.frames) == spread(20, wanted)
    assert clip.frames[..., :16, :].max() < 40
    assert [round(float(second or 0), 2) for second in clip.seconds] == [place / 10 for place in spread(20, wanted)]


def test_an_animated_gif_is_a_film(tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((32, 64, 3), STEP * number, np.uint8)) for number in range(20)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    clip = load_video(Media.file("video", str(tmp_path / "a.gif")), 5)
    assert clip.frames.shape == (5, 32, 64, 3)
    assert numbers(clip.frames) == spread(20, 5)


def test_bytes_and_byte_ranges_read_like_files(tmp_path: Path) -> None:
    data = film(tmp_path / "a.mp4", 8, "libx264").read_bytes()
    (tmp_path / "shard").write_bytes(b"x" * 100 + data + b"y" * 100)
    inside = Media("video", path=str(tmp_path / "shard"), offset=100, length=len(data))
    for media in (Media("video", data=data), inside):
        assert numbers(load_video(media, 4).frames) == [1, 3, 5, 7]


def test_a_turned_film_is_upright(tmp_path: Path) -> None:
    """The track's matrix says by how much a player turns the frames: here a quarter, clockwise."""
    data = film(tmp_path / "a.mp4", 3, "libx264").read_bytes()
    one, none = (0x10000).to_bytes(4, "big"), bytes(4)
    minus = (-0x10000).to_bytes(4, "big", signed=True)
    end = (0x40000000).to_bytes(4, "big")
    straight = one + none * 3 + one + none * 3 + end
    head = data.index(b"tkhd")
    turned = data[:head] + data[head:].replace(straight, none + one + none + minus + none * 4 + end, 1)
    frames = load_video(Media("video", data=turned), 3).frames
    assert frames.shape == (3, 64, 32, 3)
    assert frames[2, :16].max() < 20 < frames[2, 40:].min(), "what was on the left is on top"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", 20, "mpeg4")
    data = path.read_bytes()
    for broken, said in (
        (data[: len(data) // 2], r"is truncated: its header claims more than its \d+ bytes"),
        (b"no film at all" * 50, "cannot be decoded"),
        (b"", "cannot be decoded"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "cannot be decoded"),
        (b"ffconcat version 1.0\nfile " + str(path).encode(), "cannot be decoded"),
    ):
        with pytest.raises(InputError, match=f"s1: video <video in memory> ({said})"):
            load_video(Media("video", data=broken), 4, "s1")
    with pytest.raises(InputError, match=r"cannot read video .*gone\.mp4: No such file"):
        load_video(Media.file("video", str(tmp_path / "gone.mp4")), 4)
    with pytest.raises(InputError, match="has no pictures, only sound"):
        load_video(Media("video", data=sound_only()), 4)
    with pytest.raises(InputError, match="is not a video"):
        load_video(Media.file("image", str(path)), 4)
    with pytest.raises(InputError, match="0 frames were asked for"):
        load_video(Media.file("video", str(path)), 0)


def sound_only() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def test_too_large_a_clip_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    media = Media.file("video", str(film(tmp_path / "a.mp4", 8, "libx264")))
    assert len(load_video(media, 4, max_pixels=4 * 64 * 32).frames) == 4
    with pytest.raises(InputError, match="5 frames of 64x32 are more than the 0 megapixels"):
        load_video(media, 5, max_pixels=4 * 64 * 32)


def test_arrays_are_sampled_too() -> None:
    array = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    clip = load_video(Media("video", data=array), 3)
    assert clip.frames[:, 0, 0, 0].tolist() == [1, 3, 5] and clip.seconds == (None, None, None)
    with pytest.raises(InputError, match=r"array of float64 \[2, 2\], expected uint8"):
        load_video(Media("video", data=np.zeros((2, 2))), 3)
