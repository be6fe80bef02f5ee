"""`vistune build`: make instruction data with published pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vistune.commands._trust import Trust

app = typer.Typer(help="Make instruction data from media and what is known about them.", no_args_is_help=True)

_Pipeline = Annotated[str, typer.Argument(help="A pipeline's name, or package.module:PIPELINE of your own.")]


@app.command("list")
def list_pipelines(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Name every pipeline, what it needs and what it yields."""
    from vistune.construction.pipeline import load, names

    entries: list[dict[str, Any]] = []
    for name in names():
        found = load(name)
        needs = [*found.needs, *found.parts] or ["media alone"]
        entries.append({"name": name, "needs": needs, "yields": found.yields, "method": found.method})
    if as_json:
        typer.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    width = max(len(entry["name"]) for entry in entries)
    for entry in entries:
        typer.echo(f"{entry['name']:<{width}}  needs {', '.join(entry['needs'])}; yields {entry['yields']}")


@app.command()
def show(pipeline: _Pipeline, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print a pipeline's paper, needs, deviations and every prompt in full, the demonstration that is sent with it included."""
    from vistune.construction.pipeline import load

    found = load(pipeline)
    prompts: list[dict[str, Any]] = [
        {
            "name": prompt.name,
            "system": prompt.system,
            "format": prompt.format.instruction,
            "context": list(prompt.context),
            "demonstration": {"shown": prompt.shot[0], "reply": prompt.format.write(prompt.shot[1])},
        }
        for prompt in found.prompts
    ]
    if as_json:
        about = {"method": found.method, "needs": list(found.needs), "parts": list(found.parts), "yields": found.yields}
        typer.echo(json.dumps({**about, "deviations": found.deviations, "prompts": prompts}, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{found.method}\nneeds: {', '.join([*found.needs, *found.parts]) or 'media alone'}\nyields: {found.yields}")
    if found.deviations:
        typer.echo(f"deviations: {found.deviations}")
    for prompt in prompts:
        typer.echo(f"\n[{prompt['name']}] shown: {', '.join(prompt['context']) or 'the media'}")
        typer.echo(f"{prompt['system']}\n{prompt['format']}")
        for role, text in prompt["demonstration"].items():
            typer.echo(f"demonstration, {role}:\n{text or '(a picture)'}")


@app.command()
def run(
    pipeline: _Pipeline,
    data: Annotated[list[str], typer.Option("--data", help="Data, kind:path; repeat to join files about the same media.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    completer: Annotated[str, typer.Option(help="Who writes: endpoint:URL?model=NAME, local:MODEL, replay:FILE.")] = "offline",
    viewer: Annotated[str | None, typer.Option(help="Who sees pictures, for pipelines that need it.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="A labeler: objects=package.module:Class.")] = None,
    painter: Annotated[str | None, typer.Option(help="Makes or finds media: package.module:Class.")] = None,
    scorer: Annotated[str | None, typer.Option(help="Compares pictures and texts: package.module:Class.")] = None,
    decisions: Annotated[Path | None, typer.Option(help="decisions.json of the review page.")] = None,
    cache: Annotated[Path | None, typer.Option(help="File of replies to share between runs (default: in --out).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Records to read, at most.")] = None,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 0,
    engine: Annotated[str, typer.Option(help="local, or ray to ask from many machines.")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Ray workers.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print three requests and the cost; ask nobody.")] = False,
    price_in: Annotated[float, typer.Option(help="For --dry-run: dollars per million prompt tokens.")] = 0.0,
    price_out: Annotated[float, typer.Option(help="For --dry-run: dollars per million completion tokens.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    trust: Trust = None,
) -> None:
    """Run a pipeline over data; the same command continues a run that was stopped."""
    from vistune.construction.running.session import Choices, perform, rehearsed
    from vistune.errors import InputError

    choices = Choices(
        pipeline,
        tuple(data),
        completer,
        viewer,
        tuple(label or ()),
        painter,
        scorer,
        decisions,
        cache,
        limit,
        seed,
        engine,
        workers,
    )
    if dry_run:
        typer.echo(rehearsed(choices, price_in, price_out))
        return
    if out is None:
        raise InputError("give --out, the folder to write (or --dry-run to write nothing)")
    try:
        report = perform(choices, out)
    except KeyboardInterrupt:
        typer.echo("vistune: stopped; the same command continues this run, replies already bought are kept", err=True)
        raise typer.Exit(130) from None
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else _told(report, out))


@app.command()
def review(
    out: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    most: Annotated[int, typer.Option(min=1, help="Samples to show, and rejects, at most.")] = 500,
) -> None:
    """Write the review page of a finished run anew."""
    from vistune.construction.running.review import write_page

    typer.echo(write_page(out, most))


def _told(report: dict[str, Any], out: Path) -> str:
    made = report["statistics"]
    rejects = ", ".join(f"{count} {reason}" for reason, count in made["rejects"].items()) or "none"
    rejects += f"; most often {made['commonest_reject']!r}" if made["commonest_reject"] else ""
    costs = "".join(
        f"{role}: asked {asked['asked']} times, {asked['cached']} from earlier replies, {asked['failed']} failed; "
        f"{asked['prompt_tokens']} + {asked['completion_tokens']} tokens, {asked['usd']:.4f} USD"
        f"{_together(asked)}\n"
        for role, asked in report["asked"].items()
    )
    return (
        f"{made['samples']} samples, {made['turns']} answers, {made['boxes']} boxes in {out / 'samples.jsonl'}\n"
        f"rejected: {rejects}\n"
        f"{costs}"
        f"review: {out / 'review.html'}"
    )


def _together(asked: dict[str, Any]) -> str:
    """What all runs cost, where earlier ones left replies."""
    every = asked.get("all_runs", asked)
    if all(every[kind] == asked[kind] for kind in ("prompt_tokens", "completion_tokens")):
        return ""
    return f" (all runs: {every['prompt_tokens']} + {every['completion_tokens']} tokens, {every['usd']:.4f} USD)"
