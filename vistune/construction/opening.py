"""Opening what a command line names: completers, labelers, painters, scorers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from vistune.completer import Completer
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.running.store import ReplyStore
from vistune.errors import InputError
from vistune.files import parse_yaml
from vistune.spec import build, check_arguments, resolve, split
from vistune.trust import named

COMPLETERS = "vistune.construction.completers"
_LIGHT = ("endpoint", "replay")


def open_completer(spec: str | Mapping[str, Any], store: ReplyStore | None = None) -> Completer:
    """`endpoint:https://host/v1?model=name`, `local:Qwen/Qwen3-4B`, `replay:replies.jsonl`, `scripted:script.jsonl`, `offline`,
    or a mapping with `kind`. What follows the first colon is the completer's first argument; `store` keeps its replies.
    """
    return cast(Completer, build(COMPLETERS, _parsed(spec) if isinstance(spec, str) else spec, Completer, store=store))


def completer_kind(spec: str | Mapping[str, Any]) -> str:
    """Which completer a spec names."""
    return split(_parsed(spec) if isinstance(spec, str) else spec)[0]


def check_completer(spec: str | Mapping[str, Any]) -> None:
    """Refuse what `open_completer` would refuse; nobody is asked and no model is loaded."""
    kind, arguments = split(_parsed(spec) if isinstance(spec, str) else spec)
    target = resolve(COMPLETERS, kind, Completer)
    check_arguments(target, arguments, f"completers.{kind}", {"store": None})
    if kind in _LIGHT:
        opened = target(**arguments)
        if isinstance(opened, Endpoint):
            opened.close()


def _parsed(text: str) -> dict[str, Any]:
    """The text as a spec; values are YAML scalars, so that `concurrency=32` is a number."""
    head, _, query = text.partition("?")
    kind, _, first = head.partition(":")
    spec: dict[str, Any] = {"kind": kind}
    if first:
        name = next(iter(inspect.signature(resolve(COMPLETERS, kind, Completer)).parameters))
        spec[name] = first
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise InputError(f"completer {text!r}: what follows '?' is not key=value&key=value ({error})") from error
    return spec | {key: parse_yaml(value, f"completer {text!r}: the value of {key!r}") for key, value in pairs}


def open_part(spec: str, does: str) -> Any:
    """An object of the user's own class, `package.module:Class`, made without arguments; `does` is the method it needs."""
    if ":" not in spec:
        raise InputError(f"{spec!r} names no class: expected package.module:Class")
    target = named(spec)
    if not inspect.isclass(target) or not callable(dict(inspect.getmembers(target)).get(does)):
        raise InputError(f"{spec} has no method {does!r}, which a part in its place needs")
    return target()
