"""`vistune run` and `vistune programs`: models with tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vistune.commands._settings import settings
from vistune.commands._trust import Trust

app = typer.Typer()

Options = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting of the program: steps=4, or answer='{kind: answer, model: DIR}'."
    ),
]


@app.command()
def programs(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List programs, their papers, and the tools and formats on offer."""
    from importlib import import_module

    from vistune.programs.program import Program
    from vistune.spec import kinds, resolve

    rows = []
    for name in kinds("vistune.programs.methods"):
        target = resolve("vistune.programs.methods", name, Program)
        first = (import_module(target.__module__).__doc__ or "").partition("\n")[0]
        rows.append({"name": name, "paper": target.paper, "planner": target.plans, "about": first})
    tools, formats = kinds("vistune.programs.tools"), kinds("vistune.programs.formats")
    if as_json:
        print(json.dumps({"programs": rows, "tools": tools, "formats": formats}, ensure_ascii=False))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['paper']}  {'asks a planner' if row['planner'] else 'asks no planner'}")
    print(f"tools: {', '.join(tools)}\nformats: {', '.join(formats)}")


@app.command("run")
def run_(
    program: Annotated[str, typer.Argument(help="A program's name (see `vistune programs`), or package.module:Class.")],
    data: Annotated[str, typer.Option(help="The tasks, as kind:path?key=value.")],
    out: Annotated[Path | None, typer.Option(help="The folder to write; the same command continues it.")] = None,
    planner: Annotated[
        str | None, typer.Option(help="Who plans: endpoint:URL?model=NAME, local:MODEL, checkpoint:DIR, replay:FILE.")
    ] = None,
    options: Options = [],  # noqa: B006 - typer reads it, nobody writes it
    replay: Annotated[Path | None, typer.Option(help="Play this trace back: nobody is asked, no tool is run.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Tasks, at most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    trust: Trust = None,
) -> None:
    """Answer samples with a model and tools; traces, predictions and made media go to one folder."""
    from vistune.construction.opening import open_completer
    from vistune.data.samples import read
    from vistune.errors import InputError
    from vistune.programs.program import Program
    from vistune.programs.runner import replay as play
    from vistune.programs.runner import run_program
    from vistune.spec import build

    spec: dict[str, Any] = {"kind": program, **settings(options)}
    chosen: Program = build("vistune.programs.methods", spec, Program)
    if chosen.plans and planner is None and replay is None:
        raise InputError(f"{program} asks a language model: give --planner, such as endpoint:URL?model=NAME or local:MODEL")
    if out is None and replay is None:
        raise InputError("give --out, the folder to write (or --replay TRACE to write nothing)")
    samples = read(data)
    tasks = [samples[index] for index in range(min(len(samples), limit or len(samples)))]
    if replay is not None:
        outcomes = play(chosen, tasks, replay)
    else:
        assert out is not None, "checked before anything was read"
        about = {"program": spec, "planner": planner, "data": data}
        outcomes = run_program(chosen, tasks, out, None if planner is None else open_completer(planner), about)
    ended: dict[str, int] = {}
    for outcome in outcomes:
        ended[outcome.ended] = ended.get(outcome.ended, 0) + 1
    if as_json:
        print(json.dumps({"tasks": len(outcomes), "ended": ended, "out": None if out is None else str(out)}))
        return
    for task, outcome in list(zip(tasks, outcomes, strict=True))[:3]:
        print(f"{task.id}: {outcome.text or f'({outcome.ended}: {outcome.why})'}")
    print(f"{len(outcomes)} tasks; " + ", ".join(f"{count} ended with {how}" for how, count in ended.items()))
    if out is not None and replay is None:
        print(f"traces and answers: {out}")
