"""`vistune data list` and `vistune data show`: the catalogue of data sets."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_data_sets(
    task: Annotated[str | None, typer.Option(help="Only this task, e.g. captioning.")] = None,
    modality: Annotated[str | None, typer.Option(help="Only those that show this, e.g. video.")] = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/datasets.md.")] = False,
) -> None:
    """List the data sets that are known by name: task, modality, published size."""
    from vistune.data.catalogue import entries, listing

    chosen = listing.select(entries(), task, modality)
    if as_json:
        print(json.dumps([entry.to_json() for entry in chosen], ensure_ascii=False, indent=2))
    elif markdown:
        print(listing.markdown(chosen), end="")
    else:
        print("\n".join(listing.lines(chosen)))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The data set, as `vistune data list` names it.")], as_json: AsJson = False
) -> None:
    """Say where a data set comes from, which files it is expected in and how it is read."""
    from vistune.data.catalogue import find, listing

    entry = find(name)
    print(
        json.dumps(entry.to_json(), ensure_ascii=False, indent=2) if as_json else listing.details(entry),
        end="\n" if as_json else "",
    )
