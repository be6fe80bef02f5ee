"""`--set KEY=VALUE`, as every command reads it."""

from __future__ import annotations

from typing import Any


def settings(pairs: list[str]) -> dict[str, Any]:
    """`["n_ctx=4", "lr=1e-3"]` by key; values are read as YAML. Raises `InputError` for a pair without `=`."""
    from vistune.errors import InputError
    from vistune.files import parse_yaml

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--set {pair!r}: expected KEY=VALUE")
        found[key] = parse_yaml(value, f"--set {key}")
    return found
