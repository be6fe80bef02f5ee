"""`HttpModel`: a chat model behind an address, asked like a checkpoint: `vistune predict http:CONFIG.yaml`.

    api: anthropic                      openai, anthropic or google
    url: https://api.anthropic.com/v1
    model: NAME
    key_env: ANTHROPIC_API_KEY          the key stays in the environment
    system: You answer in one word.     what else is said, and how coordinates are written
    codec: decimals

Every other key is one of the endpoint completer's (`concurrency`, `retries`, `timeout`, `max_usd`, `extra`, ...). Its replies
are kept beside the predictions before anything else is done with them, so that none is paid for twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vistune.completer import Message, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.media_files import encoded
from vistune.construction.running.store import ReplyStore
from vistune.errors import InputError
from vistune.files import parse_yaml
from vistune.prompt.codec import Codec
from vistune.prompt.spelling import written
from vistune.sample import Media, MediaRef, Produce, Sample, Text, Turn
from vistune.spec import Spec, build, check_arguments


class HttpModel:
    """Keeps to `vistune.evals.run.Answerer`. `settings` are the configuration's keys, `replies` the file of raw replies."""

    def __init__(self, settings: Mapping[str, Any], replies: Path, where: str = "the configuration") -> None:
        asked = dict(settings)
        self._system, codec = asked.pop("system", ""), asked.pop("codec", "decimals")
        _check(asked, self._system, codec, where)
        self._codec: Codec = build("vistune.prompt.codecs", codec, Codec)
        self._store = ReplyStore(replies)
        self._endpoint = Endpoint(**asked, store=self._store)

    @classmethod
    def open(cls, config: str | Path, replies: Path) -> HttpModel:
        """The model that a YAML file describes."""
        try:
            text = Path(config).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {config}: {error}") from error
        settings = parse_yaml(text, str(config))
        if not isinstance(settings, dict):
            raise InputError(f"{config} holds no mapping: it needs at least the keys url and model")
        return cls(settings, replies, str(config))

    @property
    def identity(self) -> str:
        """The model's name and a hash over the address, the format and whatever else is sent along."""
        said = json.dumps({**self._endpoint.identity, "system": self._system}, sort_keys=True, ensure_ascii=False)
        return f"{self._endpoint.identity['model']}@{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    def rendered(self, sample: Sample) -> str:
        """Roles, texts and the places of pictures, as JSON."""
        messages = self._messages(sample)
        return json.dumps([[said.role, said.text, list(said.places)] for said in messages], ensure_ascii=False)

    def generate(self, samples: Sequence[Sample], *, max_new_tokens: int = 128, **arguments: Any) -> list[str]:
        """An answer each, at temperature 0. Raises `InputError` when one got none; the others are kept."""
        if arguments:
            raise InputError(f"a chat model over HTTP takes {next(iter(arguments))!r} under 'extra' in its configuration")
        requests = [Request(self._messages(sample), max_tokens=max_new_tokens, id=sample.id) for sample in samples]
        replies = list(self._endpoint.complete(requests))
        failed = [(sample, reply) for sample, reply in zip(samples, replies, strict=True) if reply.error]
        if failed:
            sample, reply = failed[0]
            raise InputError(
                f"{sample.where}: the model gave no answer ({reply.error}), as to {len(failed)} of {len(samples)}; the other"
                " answers are kept: run the same command again"
            )
        return [reply.text.strip() for reply in replies]

    def close(self) -> None:
        """Close connections and the file of replies."""
        self._endpoint.close()
        self._store.close()

    def _messages(self, sample: Sample) -> tuple[Message, ...]:
        shown = encoded(sample.prompt())
        system = (Message("system", self._system),) if self._system else ()
        return (*system, *(self._message(turn, shown) for turn in shown.turns))

    def _message(self, turn: Turn, sample: Sample) -> Message:
        text, images, places = "", [], []
        for part in written(turn.parts, self._codec, sample):
            if isinstance(part, Produce):
                raise InputError(f"{sample.where}: a chat model over HTTP produces text only")
            if isinstance(part, MediaRef):
                images.append(_picture(sample.media[part.index], sample))
                places.append(len(text))
            else:
                assert isinstance(part, Text)
                text += part.text
        return Message(turn.role, text, tuple(images), tuple(places) if any(places) else ())


def _picture(medium: Media, sample: Sample) -> Media:
    if medium.kind != "image":
        raise InputError(f"{sample.where}: {medium.kind} media cannot be sent to a chat model over HTTP, only images can")
    return medium


def _check(settings: Mapping[str, Any], system: Any, codec: Spec, where: str) -> None:
    for key in settings:
        if key != "key_env" and "key" in str(key).lower():
            raise InputError(
                f"{where} has {key!r}: a key is not written into files, put it in the environment (key_env names it)"
            )
    if not isinstance(system, str):
        raise InputError(f"{where}: system is {system!r}, expected text")
    check_arguments(Endpoint, settings, where, {"store": None})
