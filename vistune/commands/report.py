"""`vistune report`: tables, figures and the worst answers of finished evaluations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

_STYLE = """
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #1b1e24; }
table { border-collapse: collapse; } th, td { padding: .4rem .8rem; border-bottom: 1px solid #d6d9df; text-align: left; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; } .best { font-weight: 700; }
svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; } .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
article { border: 1px solid #d6d9df; border-radius: .5rem; padding: .75rem; overflow-wrap: anywhere; }
article img { max-width: 100%; border-radius: .25rem; } article p { margin: .3rem 0; white-space: pre-wrap; }
.id, .gone { color: #5c6370; font-size: .85rem; }
"""


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders of `vistune eval`, searched for result.json.")],
    out: Annotated[Path | None, typer.Option(help="Write report.html, report.md and report.csv into this folder.")] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst answers to show of each model and benchmark.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a table over models and benchmarks; with --out, write it with figures and the worst answers."""
    from json import dumps

    from vistune.evals.reports.report import collect, markdown, to_csv
    from vistune.files import atomic_open

    entries = collect(folders)
    table = markdown(entries)
    if out is not None:
        for name, text in {"report.md": table, "report.csv": to_csv(entries), "report.html": page(folders, worst)}.items():
            with atomic_open(out / name) as file:
                file.write(text)
    typer.echo(dumps([dict(entry.record) for entry in entries], indent=2) if as_json else table, nl=as_json)
    if out is not None and not as_json:
        typer.echo(f"report: {out / 'report.html'}")


def page(folders: list[Path], worst: int) -> str:
    """The whole report as one self-contained HTML page."""
    from vistune.evals.reports.gallery import gallery
    from vistune.evals.reports.plots import bars, radar
    from vistune.evals.reports.report import collect, html_table

    entries = collect(folders)
    figures = [figure for figure in (radar(entries), bars(entries)) if figure is not None]
    cards = gallery(entries, worst)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Evaluation report</title><style>{_STYLE}</style>"
        f'</head><body><h1>Evaluation report</h1><div class="scroll">{html_table(entries)}</div>'
        "<p>Intervals: 95&nbsp;%, bootstrap. The best of a column is bold; an arrow marks columns where lower is better.</p>"
        f"{''.join(figures)}"
        f"{'<h2>Worst answers</h2>' + cards if cards else ''}</body></html>\n"
    )
