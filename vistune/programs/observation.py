"""What a tool gives back, and what of it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media, Region, Sample, Text, Turn

LONGEST_TEXT = 20_000
"""Characters of an observation, at most."""
LARGEST_MEDIUM = 64 * 2**20
"""Bytes of a medium that a tool makes, at most."""


class ToolError(Exception):
    """A call that gave nothing: one sentence for the planner and the trace. The session goes on."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a tool gives back: words, media it made, regions on the first medium it was shown."""

    text: str = ""
    media: tuple[Media, ...] = ()
    regions: tuple[Region, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, in the form of a sample's answer."""
        shown = self.media or (Media("image", data=b""),)  # regions lie on a medium; which one is the caller's knowledge
        turn = Turn("assistant", (Text(self.text), *(replace(region, media=0) for region in self.regions)))
        record = Sample("", shown if self.regions or self.media else (), (turn,)).to_json()
        return {"media": record.get("media", []) if self.media else [], "content": record["turns"][0]["content"]}

    @classmethod
    def from_json(cls, value: Any) -> Observation:
        """The inverse. Raises `InputError` for what is no observation."""
        if not isinstance(value, Mapping) or not isinstance(value.get("media"), list):
            raise InputError("an observation is an object with media and content")
        count = len(value["media"])
        media = value["media"] or [{"kind": "image", "bytes": ""}]
        turn = {"role": "assistant", "content": value.get("content")}
        sample = Sample.from_json({"id": "", "media": media, "turns": [turn]}, "observation")
        regions = tuple(part for part in sample.turns[0].parts if isinstance(part, Region))
        return cls(sample.turns[0].text, sample.media[:count], regions)


def checked(name: str, result: Any) -> Observation:
    """A tool's result as an observation. Raises `ToolError` for another type and for what is too large."""
    found = _wrapped(name, result)
    if not isinstance(found.text, str) or not all(isinstance(medium, Media) for medium in found.media):
        raise ToolError(f"{name} gave an Observation whose text is no text or whose media are no media")
    if not all(isinstance(region, Region) for region in found.regions):
        raise ToolError(f"{name} gave an Observation whose regions are no regions")
    if len(found.text) > LONGEST_TEXT:
        raise ToolError(f"{name} gave {len(found.text):,} characters, which is more than {LONGEST_TEXT:,}")
    for medium in found.media:
        # A path would let a tool read any file of this machine into the session and, from there, to a planner.
        if medium.path is not None:
            raise ToolError(f"{name} gave the path of a file, expected what is in it")
        size = len(medium.data) if isinstance(medium.data, bytes) else np.asarray(medium.data).nbytes
        if size > LARGEST_MEDIUM:
            raise ToolError(f"{name} gave a {medium.kind} of {size:,} bytes, which is more than {LARGEST_MEDIUM:,}")
    return found


def attempted(name: str, run: Callable[..., Any], values: Mapping[str, Any]) -> Observation:
    """Call a tool, which is anybody's code, and check what it gives. Raises `ToolError` for whatever it raises."""
    try:
        return checked(name, run(**values))
    except Exception as error:
        if isinstance(error, ToolError):
            raise
        raise ToolError(f"{name} failed: {type(error).__name__}: {' '.join(str(error).split())[:400]}") from error


def _wrapped(name: str, result: Any) -> Observation:
    if isinstance(result, Observation):
        return result
    if isinstance(result, str):
        return Observation(result)
    if isinstance(result, Media):
        return Observation(media=(result,))
    if isinstance(result, (list, tuple)) and all(isinstance(item, Region) for item in result):
        return Observation(regions=tuple(result))
    raise ToolError(f"{name} gave a {type(result).__name__}, expected text, a medium, regions or an Observation")
