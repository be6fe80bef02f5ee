"""Controls that break shortcuts: the same questions about media from which the answer has been taken, and nothing else."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media

Control: TypeAlias = Literal[
    "none", "shuffled_frames", "one_frame", "swapped_channels", "one_channel", "grey_points", "shaken_points"
]

_KINDS = {
    "shuffled_frames": "video",
    "one_frame": "video",
    "swapped_channels": "audio",
    "one_channel": "audio",
    "grey_points": "points",
    "shaken_points": "points",
}
_SHAKEN = 0.35  # how far points are moved, as a standard deviation: about a solid's radius


def apply_control(media: Media, control: Control, rng: np.random.Generator) -> Media:
    """A medium of the world, broken.

        none               as it was
        shuffled_frames    frames in random order: no direction, no before and after
        one_frame          the middle frame all the time: nothing happens
        swapped_channels   left is heard on the right: answers about sides turn round
        one_channel        both channels mixed: no sides
        grey_points        points without colour
        shaken_points      points moved so far that no shape is left

    Raises `InputError` for a medium of another kind.
    """
    if control == "none":
        return media
    if media.kind != _KINDS[control]:
        raise InputError(
            f"the control {control!r} is for {_KINDS[control]}, not for {media.kind}: choose another task or control"
        )
    data = media.data
    if media.kind == "audio":
        assert isinstance(data, bytes)
        return replace(media, data=_mixed(data, swapped=control == "swapped_channels"))
    assert isinstance(data, np.ndarray)
    if control == "shuffled_frames":
        return replace(media, data=data[rng.permutation(len(data))])
    if control == "one_frame":
        return replace(media, data=np.repeat(data[len(data) // 2][None], len(data), axis=0))
    changed = data.copy()
    if control == "grey_points":
        changed[:, 3:] = 0.5
    else:
        changed[:, :3] += _SHAKEN * rng.standard_normal((len(changed), 3), dtype=np.float32)
    return replace(media, data=changed)


def _mixed(data: bytes, swapped: bool) -> bytes:
    """A WAV file of 16 bits with its two channels exchanged, or each the mean of both."""
    with wave.open(io.BytesIO(data)) as file:
        parameters, content = file.getparams(), file.readframes(file.getnframes())
    samples = np.frombuffer(content, "<i2").reshape(-1, parameters.nchannels)
    changed = samples[:, ::-1] if swapped else np.repeat(samples.mean(axis=1).round()[:, None], parameters.nchannels, axis=1)
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setparams(parameters)
        written.writeframes(changed.astype("<i2").tobytes())
    return out.getvalue()
