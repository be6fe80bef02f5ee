"""`Sample`: the one data type. Every reader makes it, every builder makes it, every consumer takes it.

A sample is a tuple of media and a tuple of turns; a turn is a role and an ordered tuple of parts:

    Sample(id="7", media=(Media.file("image", "cat.jpg"),),
           turns=(Turn("user", (MediaRef(0), Text("Where is the cat?"))),
                  Turn("assistant", (Text("Here: "), Region(box=(.1, .2, .5, .9), label="cat")))))

Units: boxes are xyxy and points xy, in [0, 1] of the *original* medium; only coordinate codecs and `Geometry` convert.
Samples are immutable, hold no decoded pixels unless they were made in memory, and go to and from plain JSON
(`to_json`, `from_json`), which is also the project's own file format: one sample a line.
"""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.files import regular

MediaKind: TypeAlias = Literal["image", "video", "audio", "points"]
Role: TypeAlias = Literal["system", "user", "assistant"]
Box: TypeAlias = tuple[float, float, float, float]
Point: TypeAlias = tuple[float, float]

MEDIA_KINDS: tuple[str, ...] = get_args(MediaKind)
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True, eq=False)
class Media:
    """One picture, film, sound or point cloud: a path (with a byte range inside it, for shards), bytes, or an array.

    `data` is either the encoded file's bytes or a decoded array: uint8 `[H, W, 3]` for an image, `[T, H, W, 3]` for a
    video, float32 `[N, 3 + C]` for points, float32 `[samples, channels]` for audio. Nothing is read until it is decoded.
    """

    kind: MediaKind
    path: str | None = None
    offset: int | None = None
    length: int | None = None
    data: bytes | NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in MEDIA_KINDS:
            raise InputError(f"media kind {self.kind!r} is unknown: use one of {', '.join(MEDIA_KINDS)}")
        if (self.path is None) == (self.data is None):
            raise InputError("a medium has either a path or data, exactly one of them")
        if (self.offset is None) != (self.length is None):
            raise InputError("a byte range needs both offset and length")
        for name, value in (("offset", self.offset), ("length", self.length)):
            if value is not None and not (type(value) is int and 0 <= value < 1 << 63):
                raise InputError(f"a byte range's {name} is {str(value)[:40]!r}, expected a whole number from 0 on")

    @classmethod
    def file(cls, kind: MediaKind, path: str) -> Media:
        """A medium that lives in a file of its own."""
        return cls(kind, path=path)

    @property
    def name(self) -> str:
        """What to call it in an error message."""
        if self.path is None:
            return f"<{self.kind} in memory>"
        return self.path if self.offset is None else f"{self.path}[{self.offset}:+{self.length}]"

    def __repr__(self) -> str:
        """Without the content: pixels say nothing to a reader."""
        if isinstance(self.data, np.ndarray):
            return f"Media({self.kind!r}, {'x'.join(map(str, self.data.shape))} {self.data.dtype})"
        return f"Media({self.kind!r}, {self.name if self.data is None else f'{len(self.data)} bytes'})"

    def read_bytes(self) -> bytes:
        """The encoded bytes. Raises `InputError` when the file cannot be read or the medium is a decoded array."""
        if isinstance(self.data, bytes):
            return self.data
        if self.path is None:
            raise InputError(f"{self.name} is an array and has no encoded bytes")
        try:
            with open(regular(self.path), "rb") as file:
                if self.offset is None:
                    return file.read()
                file.seek(0, os.SEEK_END)
                left = max(0, file.tell() - self.offset)  # a range that reaches beyond asks for no more memory than there is
                file.seek(min(self.offset, file.tell()))
                return file.read(min(self.length or 0, left))
        except OSError as error:
            raise InputError(f"cannot read {self.kind} {self.name}: {error.strerror or error}") from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Media):
            return NotImplemented
        # Written by hand: the generated comparison would ask an array for its truth value, which numpy refuses.
        mine, theirs = (self.kind, self.path, self.offset, self.length), (other.kind, other.path, other.offset, other.length)
        if isinstance(self.data, np.ndarray) or isinstance(other.data, np.ndarray):
            return mine == theirs and type(self.data) is type(other.data) and np.array_equal(self.data, other.data)  # type: ignore[arg-type]
        return mine == theirs and self.data == other.data

    def __hash__(self) -> int:
        # Without the content: equal media hash alike, which is all that is asked, and no picture is read for it.
        return hash((self.kind, self.path, self.offset, self.length))


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A box (xyxy), a point (xy) or a mask (bool `[H, W]` at the medium's size) on one medium, perhaps with its name."""

    media: int = 0
    box: Box | None = None
    point: Point | None = None
    mask: NDArray[np.bool_] | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.box, self.point, self.mask)) != 1:
            raise InputError("a region is exactly one of box, point or mask")
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if not (0 <= x1 <= x2 <= 1 and 0 <= y1 <= y2 <= 1):  # also false for NaN
                raise InputError(f"box {self.box} is not xyxy within [0, 1]")
        if self.point is not None and not all(0 <= value <= 1 for value in self.point):
            raise InputError(f"point {self.point} is not within [0, 1]")
        if self.mask is not None and self.mask.ndim != 2:
            raise InputError(f"a mask is [H, W], not {self.mask.ndim}-dimensional")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Region):
            return NotImplemented
        mine, theirs = (self.media, self.box, self.point, self.label), (other.media, other.box, other.point, other.label)
        if self.mask is None or other.mask is None:
            return mine == theirs and self.mask is other.mask
        return mine == theirs and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash((self.media, self.box, self.point, self.label))

    def bounds(self) -> Box:
        """The tight box around the region (a point has an empty one)."""
        if self.box is not None:
            return self.box
        if self.point is not None:
            return (*self.point, *self.point)
        assert self.mask is not None
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not len(rows):
            raise InputError("an empty mask has no bounds")
        height, width = self.mask.shape
        return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text."""

    text: str


@dataclass(frozen=True, slots=True)
class MediaRef:
    """The place in a turn where medium number `index` of the sample is shown."""

    index: int


@dataclass(frozen=True, slots=True)
class Produce:
    """The place in an answer where medium number `index` of the sample is to be generated."""

    index: int


Part: TypeAlias = Text | MediaRef | Region | Produce


@dataclass(frozen=True, slots=True)
class Turn:
    """One role's contribution. `train` says whether an assistant's turn is supervised."""

    role: Role
    parts: tuple[Part, ...]
    train: bool = True

    @property
    def text(self) -> str:
        """The text parts joined: what a person reads, without media and regions."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class Sample:
    """Media and turns, plus what is known beside the conversation.

    `regions` are annotations about the media that no turn mentions (truth for builders and scorers), `answers` every
    accepted answer, `choices` the options of a multiple-choice question, `meta` plain JSON (dataset, split, task, ...),
    `origin` the file and record it came from, for error messages.
    """

    id: str
    media: tuple[Media, ...] = ()
    turns: tuple[Turn, ...] = ()
    regions: tuple[Region, ...] = ()
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for turn in self.turns:
            if turn.role not in ROLES:
                raise InputError(f"{self.where}: role {turn.role!r} is unknown: use one of {', '.join(ROLES)}")
        for index in self._media_indices():
            if not 0 <= index < len(self.media):
                raise InputError(f"{self.where}: refers to medium {index}, but has {len(self.media)}")

    def _media_indices(self) -> Iterator[int]:
        for turn in self.turns:
            for part in turn.parts:
                if isinstance(part, Region):
                    yield part.media
                elif not isinstance(part, Text):
                    yield part.index
        yield from (region.media for region in self.regions)

    @property
    def where(self) -> str:
        """How error messages name this sample."""
        return f"sample {self.id!r} ({self.origin})" if self.origin else f"sample {self.id!r}"

    def prompt(self) -> Sample:
        """The sample up to its last assistant turn: what a model is asked."""
        # Several answers in a row may stand at the end (a tool's call and what came of it): all of them are cut off.
        turns = self.turns
        while turns and turns[-1].role == "assistant":
            turns = turns[:-1]
        return Sample(self.id, self.media, turns, self.regions, self.answers, self.choices, self.meta, self.origin)

    def _repr_html_(self) -> str:
        """Pictures and turns, for a notebook. Media that cannot be shown are named."""
        pictures = "".join(_shown(medium) for medium in self.media)
        turns = "".join(f"<p><b>{turn.role}</b> {escape(_written(turn))}</p>" for turn in self.turns)
        return f"<div><p><code>{escape(self.id)}</code></p>{pictures}{turns}</div>"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; arrays become PNG (images) or NPY, base64 encoded. `from_json` is its inverse."""
        record: dict[str, Any] = {"id": self.id}
        if self.media:
            record["media"] = [_media_to_json(media) for media in self.media]
        record["turns"] = [_turn_to_json(turn) for turn in self.turns]
        if self.regions:
            record["regions"] = [_part_to_json(region) for region in self.regions]
        if self.answers:
            record["answers"] = list(self.answers)
        if self.choices:
            record["choices"] = list(self.choices)
        if self.meta:
            record["meta"] = dict(self.meta)
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any], origin: str = "") -> Sample:
        """Build a sample from `to_json`'s output. Raises `InputError` naming `origin` and the faulty field."""
        where = origin or "record"
        unknown = set(record) - {"id", "media", "turns", "regions", "answers", "choices", "meta"}
        if unknown:
            raise InputError(f"{where}: unknown field {sorted(unknown)[0]!r} in a sample")
        try:
            return cls(
                id=_string(record["id"], "id"),
                media=tuple(_media_from_json(item) for item in record.get("media", ())),
                turns=tuple(_turn_from_json(item) for item in record["turns"]),
                regions=tuple(_region_from_json(item) for item in record.get("regions", ())),
                answers=tuple(_string(item, "answers") for item in record.get("answers", ())),
                choices=tuple(_string(item, "choices") for item in record.get("choices", ())),
                meta=dict(record.get("meta", {})),
                origin=origin,
            )
        except KeyError as error:
            raise InputError(f"{where}: field {error} is missing") from error
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            raise InputError(f"{where}: {error}") from error


def _written(turn: Turn) -> str:
    """A turn as a person reads it."""
    words = []
    for part in turn.parts:
        if isinstance(part, Text):
            words.append(part.text)
        elif isinstance(part, Region):
            words.append(f"[{part.label or 'region'} {', '.join(f'{edge:.2f}' for edge in part.bounds())}]")
        else:
            words.append(f"[{'made: ' if isinstance(part, Produce) else ''}medium {part.index + 1}]")
    return "".join(words)


def _shown(medium: Media) -> str:
    """An `<img>` of a picture in memory or in a file of its own, else its name."""
    if medium.kind != "image" or medium.offset is not None:
        return f"<p><code>{escape(medium.name)}</code></p>"
    if isinstance(medium.data, np.ndarray):
        from PIL import Image  # only where somebody looks

        buffer = io.BytesIO()
        Image.fromarray(medium.data).save(buffer, format="PNG")
        encoded = base64.b64encode(buffer.getvalue()).decode()
        return f'<img alt="" style="min-width:128px;image-rendering:pixelated" src="data:image/png;base64,{encoded}">'
    if isinstance(medium.data, bytes):
        return f'<img alt="" style="max-width:320px" src="data:;base64,{base64.b64encode(medium.data).decode()}">'
    return f'<img alt="{escape(medium.name)}" style="max-width:320px" src="{escape(str(medium.path))}">'


def _string(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"field {name!r} holds {value!r}, expected text")
    return value


def _array_to_base64(array: NDArray[Any]) -> str:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return base64.b64encode(buffer.getvalue()).decode()


def _array_from_base64(text: str) -> NDArray[Any]:
    try:  # one array, and no archive of several: `np.load` would also open ZIP files
        array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(base64.b64decode(text, validate=True)), allow_pickle=False)
    except EOFError as error:
        raise ValueError(f"an array is cut short: {error}") from error
    return array


def _media_to_json(media: Media) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": media.kind}
    if media.path is not None:
        record["path"] = media.path
        if media.offset is not None:
            record |= {"offset": media.offset, "length": media.length}
    elif isinstance(media.data, bytes):
        record["bytes"] = base64.b64encode(media.data).decode()
    else:
        assert isinstance(media.data, np.ndarray)
        record["array"] = _array_to_base64(media.data)
    return record


def _media_from_json(record: Mapping[str, Any]) -> Media:
    data: bytes | NDArray[Any] | None = None
    if "bytes" in record:
        data = base64.b64decode(record["bytes"], validate=True)
    elif "array" in record:
        data = _array_from_base64(record["array"])
    return Media(record["kind"], record.get("path"), record.get("offset"), record.get("length"), data)


def _part_to_json(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, MediaRef):
        return {"media": part.index}
    if isinstance(part, Produce):
        return {"produce": part.index}
    record: dict[str, Any] = {"on": part.media}
    if part.box is not None:
        record["box"] = list(part.box)
    elif part.point is not None:
        record["point"] = list(part.point)
    else:
        assert part.mask is not None
        # Eight pixels a byte: as booleans a mask would be eight times as long in every file of samples.
        record["mask"] = _array_to_base64(np.packbits(part.mask))
        record["size"] = list(part.mask.shape)
    if part.label is not None:
        record["label"] = part.label
    return record


def _region_from_json(record: Mapping[str, Any]) -> Region:
    box, point, mask = record.get("box"), record.get("point"), None
    if "mask" in record:
        height, width = record["size"]
        packed = _array_from_base64(record["mask"])
        # Checked before unpacking: a size from a stranger's file decides how much memory the mask takes.
        if packed.ndim != 1 or min(height, width) < 0 or len(packed) != -(-height * width // 8):
            raise ValueError(f"a mask of {len(packed.ravel())} bytes does not fit its size {record['size']!r}")
        mask = np.unpackbits(packed, count=height * width).reshape(height, width).astype(bool)
    label = record.get("label")
    return Region(
        media=_index(record.get("on", 0)),
        box=None if box is None else cast(Box, _numbers(box, 4)),
        point=None if point is None else cast(Point, _numbers(point, 2)),
        mask=mask,
        label=None if label is None else _string(label, "label"),
    )


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    if not isinstance(values, list | tuple) or len(values) != count:
        raise ValueError(f"coordinates {values!r} are not {count} numbers")
    numbers = tuple(map(float, values))
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"coordinates {values!r} are not all finite")
    return numbers


def _index(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number of a medium")
    return value


def _turn_to_json(turn: Turn) -> dict[str, Any]:
    record: dict[str, Any] = {"role": turn.role, "content": [_part_to_json(part) for part in turn.parts]}
    if not turn.train:
        record["train"] = False
    return record


def _turn_from_json(record: Mapping[str, Any]) -> Turn:
    train = record.get("train", True)
    if not isinstance(train, bool):
        raise TypeError(f"field 'train' holds {train!r}, expected true or false")
    return Turn(record["role"], tuple(_part_from_json(part) for part in record["content"]), train)


def _part_from_json(record: Mapping[str, Any]) -> Part:
    if "text" in record:
        return Text(_string(record["text"], "text"))
    if "media" in record:
        return MediaRef(_index(record["media"]))
    if "produce" in record:
        return Produce(_index(record["produce"]))
    if record.keys() & {"box", "point", "mask"}:
        return _region_from_json(record)
    raise ValueError(f"a content part with the keys {sorted(record)} is none of text, media, produce, box, point, mask")
