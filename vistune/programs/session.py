"""The media of one conversation between a person, a model and tools, by name, with where each came from.

A planner writes names, never paths: what it writes is looked up here and opens no file. So a tool sees a medium only when
somebody handed it over.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.files import atomic_open
from vistune.sample import MEDIA_KINDS, Media

_SUFFIX = {"image": "png", "video": "mp4", "audio": "wav", "points": "npy"}


class UnknownNameError(LookupError):
    """No medium of the session has the name."""


@dataclass(frozen=True, slots=True)
class Held:
    """One medium of a session. `tool` made it of `parents` with `arguments`; the user's own have no tool."""

    name: str
    medium: Media
    tool: str = ""
    parents: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What a trace keeps of it, the medium itself aside."""
        made = {"tool": self.tool, "parents": list(self.parents), "arguments": dict(self.arguments)} if self.tool else {}
        return {"name": self.name, "kind": self.medium.kind, **made}


class Session:
    """Named media. With a `folder`, what tools make is written there under its name."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._held: dict[str, Held] = {}

    def add(
        self,
        medium: Media,
        tool: str = "",
        parents: tuple[str, ...] = (),
        arguments: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Held:
        """Hold a medium under `name`, by default one made of its content, such as `image/1f0c9a2b.png`.

        The same content has one name, that under which it came first. Raises `InputError` for a medium that cannot be read.
        """
        if tool and isinstance(medium.data, np.ndarray) and medium.kind in ("video", "audio"):
            raise InputError(f"a {medium.kind} that a tool makes comes as a file's bytes, which say its rate, not as an array")
        content = _content(medium)
        if not name:
            name = f"{medium.kind}/{hashlib.sha256(content).hexdigest()[:8]}.{_SUFFIX[medium.kind]}"
        if name not in self._held:
            if tool and self._folder is not None:
                with atomic_open(self._folder / _file_name(name), "wb") as file:
                    file.write(content)
            kept = Media("image", data=content) if medium.kind == "image" and medium.path is None else medium
            self._held[name] = Held(name, kept, tool, parents, dict(arguments or {}))
        return self._held[name]

    def __getitem__(self, name: str) -> Held:
        """By name. Raises `UnknownNameError`, which says what names there are."""
        if name not in self._held:
            raise UnknownNameError(f"there is no medium {name[:80]!r}; there are: {', '.join(self._held) or 'none'}")
        return self._held[name]

    def __iter__(self) -> Iterator[Held]:
        """In the order in which they came."""
        return iter(self._held.values())

    def __len__(self) -> int:
        return len(self._held)

    def last(self, kind: str = "image") -> Held:
        """The latest medium of a kind. Raises `UnknownNameError` when there is none."""
        if kind not in MEDIA_KINDS:
            raise InputError(f"media kind {kind!r} is unknown: use one of {', '.join(MEDIA_KINDS)}")
        for held in reversed(self._held.values()):
            if held.medium.kind == kind:
                return held
        raise UnknownNameError(f"the session holds no {kind}")


def _file_name(name: str) -> str:
    """One file's name for a medium's name, whatever stands in it."""
    return "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in name).lstrip(".") or "_"


def _content(medium: Media) -> bytes:
    """The medium as bytes: what its name is made of, and for pictures and points their file."""
    if not isinstance(medium.data, np.ndarray):
        return medium.read_bytes()
    buffer = io.BytesIO()
    if medium.kind == "image":
        from PIL import Image

        Image.fromarray(medium.data).save(buffer, "PNG")
    else:
        np.save(buffer, medium.data, allow_pickle=False)
    return buffer.getvalue()
