"""From a `Media` to the samples of a sound, refusing what is broken or far too long before it is decoded.

WAV with whole numbers (8 to 32 bits) is read here; everything else (FLAC, MP3, Ogg, floating-point WAV) by `soundfile`.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.media.completeness import ogg_ends, riff_ends
from vistune.data.media.image import encoded_bytes
from vistune.errors import InputError, MissingExtraError
from vistune.sample import Media

MAX_SAMPLES = 200_000_000
"""Longest sound that is decoded, in samples times channels: 800 MB as float32, three and a half hours at 16 kHz."""


_CUT = (EOFError, ValueError, RuntimeError)  # what `wave` raises for chunks that reach beyond the file


@dataclass(frozen=True, slots=True)
class Sound:
    """`samples` float32 `[samples, channels]` in [-1, 1], and how many there are a second (`None` for a bare array)."""

    samples: NDArray[np.float32]
    rate: int | None


def load_audio(media: Media, where: str = "", max_samples: int = MAX_SAMPLES) -> Sound:
    """Decode a sound at its own rate, all channels. `where` names the sample in error messages.

    Raises `InputError` for a sound that is unreadable, truncated, too long or in an unknown format, and
    `MissingExtraError` when a format needs `soundfile` and it is not installed.
    """
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if media.kind != "audio":
        raise InputError(f"{name} is not a sound")
    if isinstance(media.data, np.ndarray):
        if media.data.dtype != np.float32 or media.data.ndim != 2:
            raise InputError(
                f"{name} is an array of {media.data.dtype} {list(media.data.shape)}, expected float32 [samples, channels]"
            )
        return Sound(media.data, None)
    data = encoded_bytes(media, where)
    if data[:4] == b"OggS" and not ogg_ends(data):
        raise InputError(f"{name} is truncated: its last page is not marked as its end")
    if data[:4] == b"RIFF":
        sound = _wav(data, name, max_samples)
        if sound is not None:
            return sound
        if not riff_ends(data):  # `soundfile` takes what there is
            raise InputError(f"{name} is truncated: its header claims more than its {len(data)} bytes")
    return _other(data, name, max_samples)


def audio_length(media: Media, where: str = "") -> tuple[int, int | None]:
    """How many samples a channel has, and the samples a second (`None` for a bare array): from the header alone.

    Raises what `load_audio` raises for a file that has no such header.
    """
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if media.kind != "audio" or isinstance(media.data, np.ndarray):
        found = load_audio(media, where)
        return len(found.samples), None
    data = encoded_bytes(media, where)
    try:
        if data[:4] == b"RIFF":
            with wave.open(io.BytesIO(data)) as file:
                if file.getsampwidth() in (1, 2, 3, 4) and file.getnchannels():
                    return file.getnframes(), file.getframerate()
    except wave.Error as error:
        if "unknown format" not in str(error):
            raise InputError(f"{name} cannot be decoded: {error}") from error
    except _CUT as error:
        raise InputError(f"{name} is truncated: its header is not whole") from error
    soundfile = _library(name)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as other:
            return int(other.frames), int(other.samplerate)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{name} cannot be decoded: {error.error_string}") from error


def _library(name: str) -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("soundfile", "audio", f"decoding {name}") from error
    return soundfile


def _wav(data: bytes, name: str, max_samples: int) -> Sound | None:
    """A WAV of whole numbers; `None` for any other kind of number."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate, count = file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()
            if width not in (1, 2, 3, 4) or not channels:
                return None
            _check_length(count, channels, name, max_samples)
            content = file.readframes(count)
    except wave.Error as error:
        if "unknown format" in str(error):
            return None
        raise InputError(f"{name} cannot be decoded: {error}") from error
    except InputError:
        raise
    except _CUT as error:
        raise InputError(f"{name} is truncated: its header is not whole") from error
    if len(content) < count * channels * width:
        raise InputError(f"{name} is truncated: it has {len(content) // (channels * width)} of {count} samples")
    return Sound(_floats(content, width).reshape(count, channels), rate)


def _floats(content: bytes, width: int) -> NDArray[np.float32]:
    """Little-endian whole numbers of `width` bytes (one byte: unsigned) scaled to [-1, 1)."""
    raw = np.frombuffer(content, np.uint8)
    if width == 1:
        return (raw.astype(np.float32) - np.float32(128)) / np.float32(128)
    padded = np.zeros((len(raw) // width, 4), np.uint8)  # at the high end of 32 bits, where the sign is
    padded[:, 4 - width :] = raw.reshape(-1, width)
    whole = padded.view("<i4")[:, 0]
    return whole.astype(np.float32) / np.float32(2**31)


def _other(data: bytes, name: str, max_samples: int) -> Sound:
    soundfile = _library(name)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_length(file.frames, file.channels, name, max_samples)
            samples: NDArray[Any] = file.read(dtype="float32", always_2d=True)
            if len(samples) < file.frames:
                raise InputError(f"{name} is truncated: it has {len(samples)} of {file.frames} samples")
            if not np.isfinite(samples).all():
                raise InputError(f"{name} cannot be decoded: it holds samples that are NaN or infinite")
            return Sound(samples, int(file.samplerate))
    except soundfile.LibsndfileError as error:
        raise InputError(f"{name} cannot be decoded: {error.error_string}") from error


def _check_length(count: int, channels: int, name: str, max_samples: int) -> None:
    if count * channels > max_samples:
        raise InputError(
            f"{name} has {count} samples in {channels} channels: more than the {max_samples / 1e6:.0f} million that are "
            "decoded; cut it first"
        )
