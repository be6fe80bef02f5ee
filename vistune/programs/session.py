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

from vistune.construction.media_files import encoded_medium
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
        self._names: dict[bytes, str] = {}  # by content

    def add(
        self,
        medium: Media,
        tool: str = "",
        parents: tuple[str, ...] = (),
        arguments: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Held:
        """Hold a medium under `name`, by default the next number of its kind, such as `image/2.png`.

        The same content has one name, that under which it came first. Raises `InputError` for a medium that cannot be read.
        """
        if tool and isinstance(medium.data, np.ndarray) and medium.kind in ("video", "audio"):
            raise InputError(f"a {medium.kind} that a tool makes comes as a file's bytes, which say its rate, not as an array")
        content = _content(medium)
        # The kind belongs to the identity: the same bytes may be read as a sound and as a film.
        digest = hashlib.sha256(medium.kind.encode() + content).digest()
        # A tool that gives back what it was shown makes nothing new: the planner sees the name it knows.
        name = name or self._names.get(digest, "")
        if not name:
            count = sum(held.medium.kind == medium.kind for held in self)
            name = f"{medium.kind}/{count + 1}.{_SUFFIX[medium.kind]}"
        if name not in self._held:
            self._names[digest] = name
            if tool and self._folder is not None:
                with atomic_open(self._folder / file_name(name), "wb") as file:
                    file.write(content)
            # As bytes from now on: an array would be encoded again, perhaps to other bytes, by everybody who sends it.
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


def file_name(name: str) -> str:
    """A file's name for the name of a medium or a task: itself, `image_1.png` for `image/1.png`, and what holds other signs, or
    is long, with a hash of it behind, so that two names are two files."""
    plain = "".join(letter if letter.isalnum() or letter in ".-_" else "_" for letter in name).lstrip(".")[:100]
    if plain and plain in (name, name.replace("/", "_", 1)):
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return str(Path(plain or "_").with_stem(f"{Path(plain or '_').stem}-{digest}"))


def _content(medium: Media) -> bytes:
    """The medium as bytes: what tells it from others, and for pictures and points their file."""
    medium = encoded_medium(medium)
    if not isinstance(medium.data, np.ndarray):
        return medium.read_bytes()
    buffer = io.BytesIO()
    np.save(buffer, medium.data, allow_pickle=False)
    return buffer.getvalue()
