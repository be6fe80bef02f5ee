"""`Samples`, the result of every reader, and `read`, from a spec to `Samples`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlencode

from vistune.data.readers.base import Reader
from vistune.errors import InputError
from vistune.files import dump_yaml, parse_yaml
from vistune.sample import Sample
from vistune.spec import build, resolve
from vistune.trust import trusting

READERS = "vistune.data.readers"


class Samples(Protocol):
    """A sequence of samples, read lazily: indexing decodes one record, never a medium."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...


def read(spec: str | Mapping[str, Any], trust: Sequence[str] = ()) -> Samples:
    """Open data. A spec is a mapping (`kind` + the reader's arguments) or text, `kind`, `kind:path`, `kind:path?key=value&...`.

    `trust` names packages whose classes the spec, and the files it leads to, may ask for. Raises `InputError` for an unknown
    kind or key, and for a file that cannot be read.
    """
    with trusting(trust):
        return cast(Samples, build(READERS, parse(spec) if isinstance(spec, str) else spec, Reader))


def parse(text: str) -> dict[str, Any]:
    """`conversations:train.json?images=photos` -> `{'kind': 'conversations', 'path': 'train.json', 'images': 'photos'}`.

    A folder's name alone is the reader `folder`.

    What follows the colon is the reader's first argument: a path for files, the name in `catalogue:vqa_v2?path=data/vqa`.
    Values are YAML scalars, lists and mappings, so that `size=100` is a number, `shuffle=true` a truth value, `image=[a, b]`
    two names and `layout={kind: conversations}` a spec; anything else, such as the template `{image_id}.jpg`, is text.
    """
    if os.path.isdir(text):
        return {"kind": "folder", "path": text}
    kind, _, rest = text.partition(":")
    first, _, query = rest.partition("?")
    if not kind or "/" in kind or os.path.exists(text):
        raise InputError(f"data {text!r} names no reader: write kind:path, for example conversations:{text}")
    spec: dict[str, Any] = {"kind": kind}
    if first:
        spec[next(iter(signature(resolve(READERS, kind, Reader)).parameters))] = first
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise InputError(f"data {text!r}: after '?' come key=value pairs joined by '&'") from error
    for key, value in pairs:
        if key in spec:
            raise InputError(f"data {text!r} gives {key!r} twice")
        spec[key] = _value(value)
    return spec


def spelled(spec: Mapping[str, Any]) -> str:
    """A spec as `parse` reads it: `conversations:train.json?images=photos`."""
    kind, arguments = str(spec["kind"]), {key: value for key, value in spec.items() if key != "kind"}
    first = next(iter(signature(resolve(READERS, kind, Reader)).parameters))
    head = f"{kind}:{arguments.pop(first)}" if isinstance(arguments.get(first), str) else f"{kind}:"
    told = {key: value if isinstance(value, str) else _flow(value) for key, value in arguments.items() if value is not None}
    return f"{head}?{urlencode(told, safe='/:,{}[] *')}" if told else head.removesuffix(":")


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    return dump_yaml(value, default_flow_style=True, width=10**9).strip().removesuffix("...").strip()


def _value(text: str) -> Any:
    try:
        value = parse_yaml(text, "a value")
    except InputError:
        return text
    if isinstance(value, dict) and None not in value.values():
        return value  # `{image_id}.jpg` is no YAML, and `{image_id}` alone a key without a value: both are text
    return value if value is None or isinstance(value, str | int | float | list) else text
