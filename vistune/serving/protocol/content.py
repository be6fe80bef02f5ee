"""Messages of a request as a `Sample`: their texts, media from data URLs or named hosts, and regions pointed at.

    {"type": "text", "text": "..."}
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}, "uuid": "my-picture"}
    {"type": "input_audio", "input_audio": {"data": "<base64>", "format": "wav"}}
    {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,..."}}
    {"type": "vistune", "vistune": {"region": {"on": 0, "box": [0.1, 0.2, 0.5, 0.9]}}}
    {"type": "vistune", "vistune": {"points_url": {"url": "data:model/ply;base64,..."}}, "uuid": "my-shape"}

A medium sent once with a `uuid` is shown again by the `uuid` alone (`"image_url": null`). No part can name a file.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from vistune.data.media.image import image_size
from vistune.sample import Media, MediaKind, MediaRef, Part, Region, Role, Sample, Text, Turn
from vistune.serving.engine.kept import Bounded
from vistune.serving.protocol.fields import mapping, no_others, one_of, shown, text
from vistune.serving.protocol.regions import read_region
from vistune.serving.refusals import Refusal

MAX_MESSAGES, MAX_MEDIA = 512, 64
_ROLES: Mapping[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_URLS: Mapping[str, MediaKind] = {"image_url": "image", "video_url": "video", "points_url": "points"}
_SOUNDS = ("wav", "mp3", "flac", "ogg")
_ECHOED = ("refusal", "audio", "tool_calls", "function_call", "annotations", "reasoning_content", "vistune")


@dataclass(frozen=True)
class Reader:
    """Reads messages. `fetch` gets the bytes behind an http(s) address, or refuses; `named` holds media by their `uuid`."""

    fetch: Callable[[str, str], bytes]
    named: Bounded[str, Media]

    def sample(self, value: Any, id: str, field: str = "messages") -> Sample:
        """A conversation whose next answer is wanted. Raises `Refusal`, naming the message of `field` and the part."""
        if not isinstance(value, list) or not value:
            raise Refusal(f"{field} is no list of at least one message", param=field)
        if len(value) > MAX_MESSAGES:
            raise Refusal(f"{field} holds {len(value)} messages, at most {MAX_MESSAGES} are read", 413, field)
        media: list[Media] = []
        turns = [self._turn(message, f"{field}[{number}]", media) for number, message in enumerate(value)]
        if turns[-1].role != "user":
            raise Refusal("the last message is not a user's: there is no question to answer", param=field)
        _check_masks(turns, media)
        return Sample(id, tuple(media), tuple(turns))

    def _turn(self, value: Any, where: str, media: list[Media]) -> Turn:
        message = mapping(value, where)
        role = _ROLES[one_of(message.get("role"), f"{where}.role", tuple(_ROLES))]
        known = ("role", "content", *(_ECHOED if role == "assistant" else ()))
        # Clients send the assistant's message back as they got it, with keys that are null or empty.
        no_others({name: field for name, field in message.items() if field not in (None, [], {})}, known, where)
        if any(message.get(name) for name in _ECHOED[:-1]):
            name = next(name for name in _ECHOED if message.get(name))
            raise Refusal(f"{where}.{name} is not supported: this model writes text", param=f"{where}.{name}")
        content = message.get("content")
        if isinstance(content, str):
            return Turn(role, (Text(text(content, f"{where}.content")),))
        if not isinstance(content, list) or not content:
            raise Refusal(f"{where}.content is {shown(content)}, expected text or a list of parts", param=f"{where}.content")
        parts = [self._part(part, f"{where}.content[{number}]", role, media) for number, part in enumerate(content)]
        return Turn(role, tuple(parts))

    def _part(self, value: Any, where: str, role: Role, media: list[Media]) -> Part:
        part = mapping(value, where)
        kind = part.get("type")
        if kind == "text":
            no_others(part, ("type", "text"), where)
            return Text(text(part.get("text"), f"{where}.text"))
        if role != "user":
            raise Refusal(
                f"{where} is of the type {shown(kind)}, but only a user's message shows media and regions", param=where
            )
        if kind == "vistune":
            return self._own(part, where, media)
        if kind == "input_audio":
            return self._show(part, kind, lambda record: _sound(record, f"{where}.input_audio"), "audio", where, media)
        if kind in ("image_url", "video_url"):
            return self._show(part, kind, lambda record: self._address(record, f"{where}.{kind}"), _URLS[kind], where, media)
        known = "text, image_url, video_url, input_audio and vistune"
        raise Refusal(f"{where}.type is {shown(kind)}, expected one of {known}", param=f"{where}.type")

    def _own(self, part: Mapping[str, Any], where: str, media: list[Media]) -> Part:
        no_others(part, ("type", "vistune", "uuid"), where)
        record = mapping(part.get("vistune"), f"{where}.vistune")
        if "points_url" in record:
            inner = {**record, **({"uuid": part["uuid"]} if "uuid" in part else {})}
            return self._show(
                inner, "points_url", lambda each: self._address(each, f"{where}.points_url"), "points", where, media
            )
        no_others(record, ("region",), f"{where}.vistune")
        return read_region(record.get("region"), f"{where}.vistune.region", len(media))

    def _show(
        self,
        part: Mapping[str, Any],
        name: str,
        read: Callable[[Mapping[str, Any]], bytes],
        kind: MediaKind,
        where: str,
        media: list[Media],
    ) -> MediaRef:
        no_others(part, ("type", name, "uuid"), where)
        uuid = None if part.get("uuid") is None else text(part["uuid"], f"{where}.uuid")
        if part.get(name) is None and uuid is not None:
            medium = self.named.get(f"{kind} {uuid}")
            if medium is None:
                raise Refusal(
                    f"{where}: no {kind} was sent with the uuid {shown(uuid)}, or it was forgotten: send it again",
                    param=f"{where}.uuid",
                    code="media_not_found",
                )
        else:
            content = read(mapping(part.get(name), f"{where}.{name}"))
            medium = Media(kind, data=content)
            if uuid is not None:
                # Sent again under the same uuid: the new bytes count, and an old entry would win in `put`.
                self.named.drop(f"{kind} {uuid}")
                self.named.put(f"{kind} {uuid}", medium, len(content))
        if medium not in media:
            media.append(medium)
        if len(media) > MAX_MEDIA:
            raise Refusal(f"the messages show more than {MAX_MEDIA} media", 413, "messages")
        return MediaRef(media.index(medium))

    def _address(self, record: Mapping[str, Any], where: str) -> bytes:
        no_others(record, ("url", "detail"), where)
        if record.get("detail", "auto") != "auto":
            raise Refusal(f"{where}.detail is {shown(record['detail'])}: this model has one way to look, 'auto'", param=where)
        url = text(record.get("url"), f"{where}.url")
        if url.startswith("data:"):
            return _data(url, f"{where}.url")
        if url.startswith(("http://", "https://")):
            return self.fetch(url, f"{where}.url")
        raise Refusal(f"{where}.url is {shown(url)}, expected a data: URL", param=f"{where}.url")


def _data(url: str, where: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma:
        raise Refusal(f"{where} is no data URL: it has no comma", param=where)
    return _base64(body, where) if head.endswith(";base64") else unquote_to_bytes(body)


def _base64(body: str, where: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(f"{where} holds no valid base64 ({error})", param=where) from error


def _sound(record: Mapping[str, Any], where: str) -> bytes:
    no_others(record, ("data", "format"), where)
    one_of(record.get("format"), f"{where}.format", _SOUNDS)
    return _base64(text(record.get("data"), f"{where}.data"), f"{where}.data")


def _check_masks(turns: Sequence[Turn], media: Sequence[Media]) -> None:
    """A mask has its picture's size: a model would otherwise look in another place than was pointed at."""
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, Region) and part.mask is not None and media[part.media].kind == "image":
                width, height = image_size(media[part.media], "the request")
                if part.mask.shape != (height, width):
                    mask = f"{part.mask.shape[1]}x{part.mask.shape[0]}"
                    raise Refusal(f"a mask is {mask}, but the picture it lies on is {width}x{height}", param="messages")
