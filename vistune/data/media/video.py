"""From a `Media` to the frames of a film, refusing what is broken or far too large before it is decoded.

    which frames   those of `vistune.data.media.sampling`: the middles of equal parts, unless another rule is asked for
    rotation       applied: frames are upright, as a player shows them
    truncated      refused where the container says how many frames there should be
    size           read from the header; a frame above `MAX_PIXELS`, or a clip above `MAX_CLIP_PIXELS`, is refused

The containers are a closed list, read from the open file alone: a playlist could name other files and addresses.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.media.completeness import container_ends, has_end
from vistune.data.media.image import MAX_PIXELS, encoded_bytes
from vistune.data.media.sampling import Sampling
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


def load_video(
    media: Media,
    frames: int | Sampling,
    where: str = "",
    max_pixels: int = MAX_CLIP_PIXELS,
    array_rate: float | None = None,
) -> Clip:
    """`frames` frames of a film, evenly spread, or those of a `Sampling`. `where` names the sample in error messages.

    Films that are arrays have no clock but `array_rate`, frames a second.

    Raises `InputError` for a film that is unreadable, truncated, too large or in an unknown container, and
    `MissingExtraError` when PyAV is not installed.
    """
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if media.kind != "video":
        raise InputError(f"{name} is not a video")
    if isinstance(frames, int):
        if frames < 1:
            raise InputError(f"{name}: {frames} frames were asked for, expected at least 1")
        frames = Sampling(frames)
    if isinstance(media.data, np.ndarray):
        return _from_array(media.data, frames, array_rate, name)
    av = _library(name)
    try:
        with _file(media, where) as file, av.open(file, options={"format_whitelist": _CONTAINERS}) as container:
            return _clip(container, frames, name, max_pixels)
    except (av.FFmpegError, OSError, ValueError) as error:  # PyAV hands on what reading the file raised
        raise _refused(error, name) from error


def frame_count(media: Media, where: str = "") -> int:
    """How many frames a film has, from its packets; nothing is decoded."""
    return _measured(media, where, size=False).frames


@dataclass(frozen=True, slots=True)
class FilmHeader:
    """How many frames a film has, their (width, height) as a player shows them, upright, and when each is shown, in seconds
    (`None` where the film has no clock)."""

    frames: int
    size: tuple[int, int]
    clock: tuple[float, ...] | None


def film_header(media: Media, where: str = "", array_rate: float | None = None, upright: bool = True) -> FilmHeader:
    """What a film's packets say of it; only its first frame is decoded. `array_rate` is that of `load_video`.

    Without `upright` nothing is decoded, and the size is that of the stream, which may lie on its side.
    """
    return _measured(media, where, size=upright, array_rate=array_rate)


def _measured(media: Media, where: str, size: bool, array_rate: float | None = None) -> FilmHeader:
    """The header; without `size` the size is that of the stream, which may lie on its side."""
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if isinstance(media.data, np.ndarray):
        _check_array(media.data, name)
        return FilmHeader(len(media.data), (media.data.shape[2], media.data.shape[1]), _ticks(len(media.data), array_rate))
    av = _library(name)
    try:
        with _file(media, where) as file, av.open(file, options={"format_whitelist": _CONTAINERS}) as container:
            stream = _stream(container, name)
            packets = _packets(container, stream)
            clock = _clock(packets)
            seconds = None if clock is None else tuple(_seconds(clock, stream))
            wide = (stream.width, stream.height)
            if not size:
                return FilmHeader(len(packets), wide, seconds)
            # Rotation stands in the frames' side data, so the first frame is decoded to know it.
            container.seek(0)
            first = next(container.decode(stream), None)
            turned = first is not None and first.rotation % 180
            return FilmHeader(len(packets), wide[::-1] if turned else wide, seconds)
    except (av.FFmpegError, OSError, ValueError) as error:  # PyAV hands on what reading the file raised
        raise _refused(error, name) from error


def _packets(container: Any, stream: Any) -> list[Any]:
    """Those that hold a frame to be shown."""
    return [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]


def _clock(packets: Sequence[Any]) -> list[int] | None:
    """When the frames are shown, ascending, in the stream's units; None where some do not say."""
    times = sorted(packet.pts for packet in packets if packet.pts is not None)
    return times if len(times) == len(packets) else None


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
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if not container_ends(head, size):
        file.close()
        raise InputError(f"{name} is truncated: its header claims more than its {size} bytes")
    if head.startswith((b"GIF87a", b"GIF89a")):  # the decoder stops where a GIF does and misses nothing
        ends = has_end("GIF", file.read())
        file.seek(0)
        if not ends:
            file.close()
            raise InputError(f"{name} is truncated: it does not reach its end mark")
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


def _seconds(clock: Sequence[int], stream: Any) -> list[float]:
    """Times in the stream's units as seconds; whole numbers are divided, since exact fractions are slow in thousands."""
    top, bottom = stream.time_base.numerator, stream.time_base.denominator
    return [time * top / bottom for time in clock]


def _clip(container: Any, sampling: Sampling, name: str, max_pixels: int) -> Clip:
    stream = _stream(container, name)
    size = (stream.width, stream.height)
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{name} is {size[0]}x{size[1]}: more than the {MAX_PIXELS / 1e6:.0f} megapixels that are decoded")
    packets = _packets(container, stream)
    if not packets or len(packets) < stream.frames:
        raise InputError(f"{name} is truncated: it has {len(packets)} of {stream.frames} frames")
    clock = _clock(packets)
    seconds = None if clock is None else _seconds(clock, stream)
    places = sampling.places(len(packets), seconds, name)
    once = list(dict.fromkeys(places))
    if len(places) * size[0] * size[1] > max_pixels:
        raise InputError(
            f"{name}: {len(places)} frames of {size[0]}x{size[1]} are more than the {max_pixels / 1e6:.0f} megapixels that are "
            "decoded of one film; take fewer frames or scale it down first"
        )
    if clock is not None:
        keys = sorted(packet.pts for packet in packets if packet.is_keyframe)
        found = list(_at(container, stream, [clock[place] for place in once], keys, name))
    else:
        found = list(_counted(container, stream, once))
    if len(found) < len(once):
        raise InputError(f"{name} cannot be decoded: frame {once[len(found)] + 1} of {len(packets)} is missing or damaged")
    if strange := [frame for frame in found if (frame.width, frame.height) != size]:
        raise InputError(f"{name} changes its size from {size[0]}x{size[1]} to {strange[0].width}x{strange[0].height}")
    frames, again = [_upright(frame, name) for frame in found], [once.index(place) for place in places]
    return Clip(np.stack([frames[index] for index in again]), tuple(found[index].time for index in again))


def _at(container: Any, stream: Any, times: list[int], keys: list[int], name: str) -> Iterator[Any]:
    """The frames with these time stamps, ascending; the film between them is skipped from key frame to key frame."""
    decoder: Any = iter(())
    now: int | None = None
    for time in times:
        before = bisect_right(keys, time)
        if now is None or (before and keys[before - 1] > now):
            container.seek(keys[before - 1] if before else time, stream=stream)
            decoder = _decoded(container, stream, frozenset(times))
        for frame in decoder:
            now = frame.pts
            if now is not None and now >= time:
                break
        else:
            return
        if now != time or frame.is_corrupt:
            return
        yield frame


def _decoded(container: Any, stream: Any, wanted: frozenset[int]) -> Iterator[Any]:
    """Frames from where the container stands, without those that are neither wanted nor needed to decode another.

    Decoders know from a frame's header that no other refers to it, as to most B-frames; leaving it out changes no other.
    """
    for packet in container.demux(stream):
        kept = packet.pts is None or packet.pts in wanted
        stream.codec_context.skip_frame = "DEFAULT" if kept else "NONREF"
        yield from packet.decode()


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


def _from_array(array: NDArray[Any], sampling: Sampling, rate: float | None, name: str) -> Clip:
    _check_array(array, name)
    clock = _ticks(len(array), rate)
    places = sampling.places(len(array), clock, name)
    return Clip(array[places], tuple(None if clock is None else clock[place] for place in places))


def _ticks(count: int, rate: float | None) -> tuple[float, ...] | None:
    return None if rate is None else tuple(frame / rate for frame in range(count))
