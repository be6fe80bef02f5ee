"""From a `Media` to the frames of a film, refusing what is broken or far too large before it is decoded.

    which frames   the middles of `frames` equal parts of the film, as Video-ChatGPT and VideoChat take them; a film with
                   fewer frames gives all it has
    rotation       applied: frames are upright, as a player shows them
    truncated      refused where the container says how many frames there should be
    size           read from the header; a frame above `MAX_PIXELS`, or a clip above `MAX_CLIP_PIXELS`, is refused

The containers are a closed list, read from the open file alone: a playlist could name other files and addresses.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.media.completeness import container_ends
from vistune.data.media.image import MAX_PIXELS, encoded_bytes
from vistune.errors import InputError, MissingExtraError
from vistune.files import regular
from vistune.sample import Media

MAX_CLIP_PIXELS = 400_000_000
"""Most pixels of all frames taken from one film: 1.2 GB as RGB."""

_HEAD = 4096  # bytes in which a container says how long it is

_CONTAINERS = "mov,mp4,matroska,webm,avi,mpeg,mpegvideo,mpegts,flv,asf,ogg,m4v,gif"


@dataclass(frozen=True, slots=True)
class Clip:
    """`frames` uint8 `[T, H, W, 3]`, upright RGB, and when each is shown, in `seconds` (`None` where the film has no clock)."""

    frames: NDArray[np.uint8]
    seconds: tuple[float | None, ...]


def load_video(media: Media, frames: int, where: str = "", max_pixels: int = MAX_CLIP_PIXELS) -> Clip:
    """`frames` frames of a film, evenly spread. `where` names the sample in error messages.

    Raises `InputError` for a film that is unreadable, truncated, too large or in an unknown container, and
    `MissingExtraError` when PyAV is not installed.
    """
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if media.kind != "video":
        raise InputError(f"{name} is not a video")
    if frames < 1:
        raise InputError(f"{name}: {frames} frames were asked for, expected at least 1")
    if isinstance(media.data, np.ndarray):
        return _from_array(media.data, frames, name)
    av = _library(name)
    try:
        with _file(media, where) as file, av.open(file, options={"format_whitelist": _CONTAINERS}) as container:
            return _clip(container, frames, name, max_pixels)
    except (av.FFmpegError, ValueError) as error:
        raise _refused(error, name) from error


def frame_count(media: Media, where: str = "") -> int:
    """How many frames a film has, from its packets; nothing is decoded."""
    return _measured(media, where, size=False)[0]


def film_shape(media: Media, where: str = "") -> tuple[int, tuple[int, int]]:
    """How many frames a film has, and their (width, height) as a player shows them, upright."""
    return _measured(media, where, size=True)


def _measured(media: Media, where: str, size: bool) -> tuple[int, tuple[int, int]]:
    """The number of frames and their size; without `size` the size is that of the stream, which may lie on its side."""
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if isinstance(media.data, np.ndarray):
        _check_array(media.data, name)
        return len(media.data), (media.data.shape[2], media.data.shape[1])
    av = _library(name)
    try:
        with _file(media, where) as file, av.open(file, options={"format_whitelist": _CONTAINERS}) as container:
            stream = _stream(container, name)
            count = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
            wide = (stream.width, stream.height)
            if not size:
                return count, wide
            # Rotation stands in the frames' side data, so the first frame is decoded to know it.
            container.seek(0)
            first = next(container.decode(stream), None)
            return count, wide[::-1] if first is not None and first.rotation % 180 else wide
    except (av.FFmpegError, ValueError) as error:
        raise _refused(error, name) from error


def spread(count: int, wanted: int) -> list[int]:
    """The places of `wanted` of `count` frames: the middle of each of `wanted` equal parts; all when there are fewer."""
    wanted = min(count, wanted)
    return [(2 * part + 1) * count // (2 * wanted) for part in range(wanted)]


def _file(media: Media, where: str) -> Any:
    if media.path is None or media.offset is not None:
        return _whole(io.BytesIO(encoded_bytes(media, where)), media, where)
    try:
        return _whole(open(regular(media.path), "rb"), media, where)
    except OSError as error:
        raise InputError(f"cannot read {media.kind} {media.name}: {error.strerror or error}") from error


def _whole(file: Any, media: Media, where: str) -> Any:
    """The open file, at its beginning. Raises `InputError` where it is shorter than it says."""
    head = file.read(_HEAD)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not container_ends(head, size):
        file.close()
        name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
        raise InputError(f"{name} is truncated: its header claims more than its {size} bytes")
    return file


def _library(name: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", f"decoding {name}") from error
    return av


def _refused(error: Exception, name: str) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError(f"{name} cannot be decoded: {str(error) or type(error).__name__}")


def _stream(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise InputError(f"{name} has no pictures, only sound")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise InputError(f"{name} cannot be decoded: its pictures are in no known code")
    return stream


def _clip(container: Any, wanted: int, name: str, max_pixels: int) -> Clip:
    stream = _stream(container, name)
    size = (stream.width, stream.height)
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{name} is {size[0]}x{size[1]}: more than the {MAX_PIXELS / 1e6:.0f} megapixels that are decoded")
    packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
    if not packets or len(packets) < stream.frames:
        raise InputError(f"{name} is truncated: it has {len(packets)} of {stream.frames} frames")
    places = spread(len(packets), wanted)
    if len(places) * size[0] * size[1] > max_pixels:
        raise InputError(
            f"{name}: {len(places)} frames of {size[0]}x{size[1]} are more than the {max_pixels / 1e6:.0f} megapixels that are "
            "decoded of one film; take fewer frames or scale it down first"
        )
    clock = sorted(packet.pts for packet in packets if packet.pts is not None)
    if len(clock) == len(packets):
        keys = sorted(packet.pts for packet in packets if packet.is_keyframe)
        found = list(_at(container, stream, [clock[place] for place in places], keys, name))
    else:
        found = list(_counted(container, stream, places))
    if len(found) < len(places):
        raise InputError(f"{name} cannot be decoded: frame {places[len(found)] + 1} of {len(packets)} is missing or damaged")
    if strange := [frame for frame in found if (frame.width, frame.height) != size]:
        raise InputError(f"{name} changes its size from {size[0]}x{size[1]} to {strange[0].width}x{strange[0].height}")
    return Clip(np.stack([_upright(frame, name) for frame in found]), tuple(frame.time for frame in found))


def _at(container: Any, stream: Any, times: list[int], keys: list[int], name: str) -> Iterator[Any]:
    """The frames with these time stamps, ascending; what lies between is skipped from one key frame to the next."""
    decoder: Any = iter(())
    now: int | None = None
    for time in times:
        before = bisect_right(keys, time)
        if now is None or (before and keys[before - 1] > now):
            container.seek(keys[before - 1] if before else time, stream=stream)
            decoder = container.decode(stream)
        for frame in decoder:
            now = frame.pts
            if now is not None and now >= time:
                break
        else:
            return
        if now != time or frame.is_corrupt:
            return
        yield frame


def _counted(container: Any, stream: Any, places: list[int]) -> Iterator[Any]:
    """The frames at these places of a container without time stamps, decoded from the beginning."""
    container.seek(0)
    chosen = set(places)
    for place, frame in enumerate(container.decode(stream)):
        if place in chosen:
            if frame.is_corrupt:
                return
            yield frame
        if place == places[-1]:
            return


def _upright(frame: Any, name: str) -> NDArray[np.uint8]:
    if frame.rotation % 90:
        raise InputError(f"{name} is turned by {frame.rotation} degrees, expected a multiple of 90")
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    return np.rot90(pixels, frame.rotation // 90)


def _check_array(array: NDArray[Any], name: str) -> None:
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3 or not len(array):
        raise InputError(f"{name} is an array of {array.dtype} {list(array.shape)}, expected uint8 [frames, height, width, 3]")


def _from_array(array: NDArray[Any], wanted: int, name: str) -> Clip:
    _check_array(array, name)
    places = spread(len(array), wanted)
    return Clip(array[places], (None,) * len(places))
