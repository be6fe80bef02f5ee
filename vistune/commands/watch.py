"""`vistune watch`: a run's page in the browser while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def watch(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; several are laid over each other.")],
    port: Annotated[int, typer.Option(min=0, help="Where the page is served, on this machine alone; 0: any free one.")] = 8450,
    every: Annotated[int, typer.Option(min=1, help="Seconds until the browser asks again.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Write the page to this file instead, and end.")] = None,
) -> None:
    """Show runs while they run: loss, speed, memory, measurements."""
    from vistune.errors import InputError
    from vistune.files import atomic_open
    from vistune.training.report.page import html
    from vistune.training.report.serving import server

    if out is not None:
        with atomic_open(out) as file:
            file.write(html(runs))
        print(out)
        return
    html(runs)  # what is no run is said before anything is served
    try:
        listening = server(runs, port, every)
    except OSError as error:
        raise InputError(f"port {port} cannot be listened on ({error.strerror or error}): choose another --port") from error
    print(f"http://127.0.0.1:{listening.server_address[1]}  (Ctrl-C ends)", flush=True)
    with listening:
        listening.serve_forever()
