"""`vistune world`: the embedded data set."""

from __future__ import annotations

import typer

app = typer.Typer(help="The embedded data set: scenes made from real handwriting, with full truth.", no_args_is_help=True)
