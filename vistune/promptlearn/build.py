"""From a method's spec to the method: `maple`, `{"kind": "maple", "n_ctx": 4}`, `dept+maple` (a plug-in around a method)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from vistune import spec
from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.method import Method

FOLDER = "vistune.promptlearn.methods"


def methods() -> list[str]:
    """The names of all methods."""
    return spec.kinds(FOLDER)


def is_plugin(name: str) -> bool:
    """Does this method wrap another?"""
    from vistune.promptlearn.plugin import Plugin

    return issubclass(spec.resolve(FOLDER, name, Method), Plugin)


def build(
    name: str,
    backbone: DualEncoder,
    classes: Classes,
    arguments: Mapping[str, Any] | None = None,
    *,
    inner: str = "coop",
    inner_arguments: Mapping[str, Any] | None = None,
) -> Method:
    """The method a spec names. `arguments` are the outer method's, `inner_arguments` those of the method a plug-in wraps.

    A plug-in without a method wraps `inner`.

    Raises `InputError` for an unknown method or argument, and for a wrapper that wraps nothing it can.
    """
    outer, _, rest = name.partition("+")
    given: dict[str, Any] = {"backbone": backbone, "classes": classes}
    if is_plugin(outer):
        # By the same function, so that plug-ins can wrap plug-ins.
        given["inner"] = build(rest or inner, backbone, classes, inner_arguments, inner=inner)
    elif rest or inner_arguments:
        if not rest:
            raise InputError(f"method {outer!r} wraps no other: it has no argument 'inner'")
        raise InputError(f"method {outer!r} wraps no other: write {rest!r} alone, or a plug-in before the +")
    return cast(Method, spec.build(FOLDER, {"kind": outer, **(arguments or {})}, Method, **given))
