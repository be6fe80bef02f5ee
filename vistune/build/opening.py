"""Opening what a command line names: completers, labelers, painters, scorers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from vistune.build.account import Account
from vistune.build.store import ReplyStore
from vistune.completer import Completer
from vistune.data.samples import parse
from vistune.errors import InputError
from vistune.spec import build, resolve, split

COMPLETERS = "vistune.build.completers"


def open_completer(spec: str | Mapping[str, Any], store: ReplyStore | None = None) -> Completer:
    """`endpoint:https://host/v1?model=name`, `local:Qwen/Qwen3-4B`, `replay:replies.jsonl`, `scripted:script.jsonl`, `offline`,
    or a mapping with `kind`. What follows the first colon is the completer's first argument; `store` keeps its replies.
    """
    wanted: dict[str, Any] = dict(parse(spec) if isinstance(spec, str) else spec)
    if "path" in wanted:
        kind, _ = split(wanted)
        parameters = list(inspect.signature(resolve(COMPLETERS, kind)).parameters)
        if not parameters:
            raise InputError(f"completer {kind!r} takes no argument, but was given {wanted['path']!r}")
        wanted[parameters[0]] = wanted.pop("path")
    return cast(Completer, build(COMPLETERS, wanted, store=store))


def open_part(spec: str, does: str) -> Any:
    """An object of the user's own class, `package.module:Class`, made without arguments; `does` is the method it needs."""
    if ":" not in spec:
        raise InputError(f"{spec!r} names no class: expected package.module:Class")
    part = resolve("vistune.build", spec)()
    if not callable(dict(inspect.getmembers(part)).get(does)):
        raise InputError(f"{spec} has no method {does!r}, which a part in its place needs")
    return part


def account_of(completer: Completer) -> Account:
    """What a completer of this package was asked; a completer of the user's own keeps no account and gives an empty one."""
    found = vars(completer).get("account")
    return found if isinstance(found, Account) else Account()
