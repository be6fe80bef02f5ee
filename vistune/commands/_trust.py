"""`--trust PACKAGE`, as every command that reads a spec takes it."""

from __future__ import annotations

from typing import Annotated

import typer

from vistune.trust import beside_user, trusting


def _enter(context: typer.Context, packages: list[str] | None) -> list[str]:
    """The caller's word, until the command ends. The packages may lie in the current folder."""
    context.with_resource(trusting(packages or []))
    context.with_resource(beside_user(packages or []))
    return packages or []


Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="PACKAGE",
        callback=_enter,
        help="Your own package or module, whose classes files may name as package.module:Class; may be repeated.",
    ),
]
