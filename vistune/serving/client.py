"""A model behind a running server, asked like one that was loaded: `vistune chat NAME --url http://127.0.0.1:8000`."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from vistune.construction.http.pictures import sent
from vistune.construction.media_files import encoded
from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.errors import InputError
from vistune.model.answering.answers import Answer
from vistune.sample import Media, MediaRef, Part, Produce, Region, Sample, Text, Turn
from vistune.serving.protocol.regions import region_json

KEY = "VISTUNE_API_KEY"
SECONDS = 600.0
_OPTIONS = {"temperature", "top_p", "seed", "do_sample"}


class RemoteModel:
    """The model `name` of the server at `url`; the key is read from the environment variable `VISTUNE_API_KEY`."""

    def __init__(self, url: str, name: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise InputError(f"--url {url}: expected an address as http://127.0.0.1:8000")
        self._url, self.name = url.rstrip("/").removesuffix("/v1"), name

    def answer(
        self, samples: Sequence[Sample], max_new_tokens: int = 256, say: Callable[[str], None] | None = None, **options: Any
    ) -> list[Answer]:
        """Answer each sample's last question; greedy unless `options` say otherwise. `say` is told pieces as they come."""
        return [self._answer(sample.prompt(), max_new_tokens, say or (lambda piece: None), options) for sample in samples]

    def _answer(self, sample: Sample, tokens: int, say: Callable[[str], None], options: Mapping[str, Any]) -> Answer:
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise InputError(f"a model behind a server takes no {unknown[0]}")
        drawn = options.get("do_sample", False)
        sampling = {name: value for name, value in options.items() if name != "do_sample"} if drawn else {"temperature": 0}
        body = {"model": self.name, "messages": messages(sample), "max_tokens": tokens, "stream": True, **sampling}
        text = ""
        found: Mapping[str, Any] = {}
        for event in self._events(body):
            if "error" in event:
                raise InputError(str(event["error"].get("message")))
            delta = event["choices"][0]["delta"] if event["choices"] else {}
            if delta.get("content"):
                text += delta["content"]
                say(delta["content"])
            found = delta.get("vistune") or found
        regions = tuple(_region(record) for record in found.get("regions", ()))
        return Answer(text, regions, tuple(_medium(record) for record in found.get("media", ())))

    def _events(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if os.environ.get(KEY):
            headers["Authorization"] = f"Bearer {os.environ[KEY]}"
        request = urllib.request.Request(f"{self._url}/v1/chat/completions", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as reply:
                for line in reply:
                    if line.startswith(b"data: {"):
                        yield json.loads(line[6:])
        except urllib.error.HTTPError as error:
            raise InputError(f"{self._url} answers: {_said(error)}") from error
        except OSError as error:
            raise InputError(f"{self._url} does not answer ({error}): is the server running there?") from error


def messages(sample: Sample) -> list[dict[str, Any]]:
    """A conversation as the protocol's messages; media as data URLs, regions under our key."""
    shown = encoded(sample)
    order: list[int] = []
    return [{"role": turn.role, "content": _content(turn, shown, order)} for turn in shown.turns]


def _content(turn: Turn, sample: Sample, order: list[int]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, Text) for part in turn.parts):
        return turn.text
    return [_part(part, sample, order) for part in turn.parts]


def _part(part: Part, sample: Sample, order: list[int]) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Produce):
        raise InputError(f"{sample.where}: what a model is to make is not sent to a server")
    if isinstance(part, Region):
        if part.media not in order:
            raise InputError(f"{sample.where}: a region lies on medium {part.media + 1}, which no turn shows before it")
        return {"type": "vistune", "vistune": {"region": region_json(part) | {"on": order.index(part.media)}}}
    assert isinstance(part, MediaRef)
    if part.index not in order:
        order.append(part.index)
    return _shown(sample.media[part.index])


def _shown(medium: Media) -> dict[str, Any]:
    if medium.kind == "image":
        mime, data = sent(medium)
        return {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
    content = base64.b64encode(medium.read_bytes()).decode()
    if medium.kind == "audio":
        ending = (medium.path or ".wav").rpartition(".")[2].lower()
        return {"type": "input_audio", "input_audio": {"data": content, "format": ending}}
    if medium.kind == "video":
        return {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{content}"}}
    return {"type": "vistune", "vistune": {"points_url": {"url": f"data:application/octet-stream;base64,{content}"}}}


def _region(record: Mapping[str, Any]) -> Region:
    mask = record.get("mask")
    return Region(
        media=int(record.get("on", 0)),
        box=None if "box" not in record else tuple(record["box"]),
        point=None if "point" not in record else tuple(record["point"]),
        mask=None if mask is None else instance_mask(mask, (mask["size"][1], mask["size"][0]), "the answer's mask"),
        label=record.get("label"),
    )


def _medium(record: Mapping[str, Any]) -> Media:
    return Media(record["kind"], data=base64.b64decode(str(record["url"]).partition(",")[2]))


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(1 << 16))["error"]["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"status {error.code}"
