"""Which of the weights that ship with the package a checkpoint stands on, and whether this version still ships the same.

A checkpoint holds what was trained and names the rest. `builtin:clip` is a name in the package, and a later version may ship
other weights under it; a connector trained on the earlier ones would then answer nonsense without a word. So a checkpoint
records the SHA-256 of the weights it was trained on, and is refused where they were replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import sha256
from vistune.model.weights.assets import BUILTIN, locate

WEIGHTS = "model.safetensors"
# What shipped before checkpoints recorded it: the weights of a checkpoint that records none.
FIRST = {
    "clip": "a31add7eb76bb12359776951aeaa3bc19e12e89f1d2768ffbcfa5b02abb91e11",
    "language": "aa301447e9775b55fe8ae7397a3b6a71b9e69525c3e4f46afa14db53b536aa4b",
}
FOUND_IN = dict.fromkeys(FIRST.values(), "e4cf89e")
"""The git revision that has the files, by the hash of weights that may have been replaced since; replacing adds to it."""


def recorded(model: Mapping[str, Any]) -> dict[str, str]:
    """The hash of every shipped model that a model's spec names, by its name."""
    return {name: digest(name) for _, name in sorted(set(_named(model)))}


def check(model: Mapping[str, Any], kept: Mapping[str, str] | None, stored: set[str], where: str) -> None:
    """Raises `InputError` where a checkpoint needs shipped weights that this version has replaced.

    `kept` is what was `recorded`, None where nothing was; weights of `stored` parts lie in the checkpoint itself.
    """
    for part, name in sorted(set(_named(model))):
        before = FIRST.get(name) if kept is None else kept.get(name)
        # A part whose weights lie in the checkpoint needs nothing of the package but the architecture.
        if part in stored or before is None or before == digest(name):
            continue
        revision = FOUND_IN.get(before)
        found = f"they are in revision {revision}, under vistune/world/nano/{name}" if revision else "another version has them"
        raise InputError(
            f"{where} was trained on weights of {BUILTIN}{name} that this version replaced: {found} (SHA-256 {before[:12]}); "
            f"copy that folder, and write its path in the place of {BUILTIN}{name}"
        )


@cache
def digest(name: str) -> str:
    """The SHA-256 of shipped weights."""
    return sha256(Path(locate(BUILTIN + name)) / WEIGHTS)


def _named(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The children of a model that name shipped weights, and the name in the package."""
    for key, value in model.items():
        if key == "parts" and isinstance(value, Mapping):
            yield from ((part, name) for part, spec in value.items() for name in _builtin(spec))
        else:
            yield from ((key, name) for name in _builtin(value))


def _builtin(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(BUILTIN):
        yield value.removeprefix(BUILTIN)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _builtin(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _builtin(inner)
