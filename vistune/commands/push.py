"""`vistune push`: share a checkpoint, with a card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vistune.commands._trust import Trust

app = typer.Typer()


@app.command()
def push(
    model: Annotated[Path, typer.Argument(help="A checkpoint or run folder.")],
    name: Annotated[str | None, typer.Argument(help="owner/name on the hub.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the same folder here instead, without any network.")] = None,
    results: Annotated[list[Path], typer.Option(help="Folders of `vistune eval` for the card; may be repeated.")] = [],  # noqa: B006
    private: Annotated[bool, typer.Option("--private", help="Nobody else sees it.")] = False,
    revision: Annotated[str | None, typer.Option(help="The hub's branch.")] = None,
    trust: Trust = None,
) -> None:
    """Share a model: weights, exported form, card."""
    import tempfile

    from vistune.errors import InputError
    from vistune.sharing.push import prepared, upload

    if (name is None) == (to is None):
        raise InputError("name either a place on the hub (owner/name) or a folder with --to")
    with tempfile.TemporaryDirectory() as place:
        folder = to or Path(place) / "model"
        reason = prepared(model, folder, results)
        if reason is not None:
            print(f"without a form that transformers loads: {reason}")
        print(folder if name is None else upload(folder, name, private, revision))
