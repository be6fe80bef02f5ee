"""`vistune data`: list, show, check, stats, convert, split, manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vistune.commands import catalogue
from vistune.commands._trust import Trust

app = typer.Typer(help="Data sets: which there are, what is wrong with them, what they hold.", no_args_is_help=True)
app.add_typer(catalogue.app)  # list, show

Spec = Annotated[
    str, typer.Argument(metavar="SPEC", help="Data as kind:path?key=value, e.g. conversations:train.json?images=photos.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(
    spec: Spec,
    against: Annotated[list[str], typer.Option(help="Held-out data that must not share pictures; may be repeated.")] = [],  # noqa: B006
    rejects: Annotated[Path | None, typer.Option(help="Write every finding to this JSON Lines file.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Check the token budget of this recipe or run file.")] = None,
    nano: Annotated[bool, typer.Option("--nano", help="... on the backbones that ship with the package.")] = False,
    changes: Annotated[list[str], typer.Option("--set", help="Replace a key of the recipe, such as model.native=DIR.")] = [],  # noqa: B006
    allow: Annotated[list[str], typer.Option(help="A reason that is no problem here; may be repeated.")] = [],  # noqa: B006
    decode: Annotated[bool, typer.Option(help="Open and decode media; without, only look for them.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    as_json: AsJson = False,
    trust: Trust = None,
) -> None:
    """Find what is wrong before training starts. Exit code 0: nothing; 1: problems; 2: the data cannot be opened."""
    import json
    import os
    from contextlib import ExitStack

    from vistune.commands._settings import settings
    from vistune.data.check.finding import PROBLEMS, REASONS, Finding
    from vistune.data.check.run import check as run
    from vistune.data.samples import read
    from vistune.errors import InputError, nearest
    from vistune.files import atomic_open
    from vistune.training.planning.budget import budget_of_recipe

    if strange := [reason for reason in allow if reason not in PROBLEMS]:
        raise InputError(f"--allow {strange[0]}: there is no such problem{nearest(strange[0], list(PROBLEMS))}")
    data, held_out = read(spec), [read(other) for other in against]
    if not len(data):
        raise InputError(f"{spec} holds no samples")
    budget = None if recipe is None else budget_of_recipe(recipe, small=nano, changes=settings(changes))
    with ExitStack() as stack:
        file = None if rejects is None else stack.enter_context(atomic_open(rejects))

        def emit(finding: Finding) -> None:
            if file is not None:
                kind = "problem" if finding.problem and finding.reason not in allow else "note"
                line = {"index": finding.index, "reason": finding.reason, "kind": kind, "detail": finding.detail}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

        workers = workers or os.cpu_count() or 1
        report = run(
            data, held_out=held_out, budget=budget, workers=workers, decode=decode, allowed=frozenset(allow), emit=emit
        )
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        print(f"{report.samples} samples, {report.media} different media, {report.problems} samples with problems")
        for reason in REASONS:
            if report.counts[reason]:
                mark = "problem" if reason in PROBLEMS and reason not in allow else "note"
                print(f"  {report.counts[reason]:>9}  {mark:<8} {reason:<16} {REASONS[reason]}")
                print(f"{'':>21}for example: {report.examples[reason]}")
        for key, count in report.unused.most_common():
            print(f"  {count:>9}  note     unused key       {key!r} is in the records, and the reader makes no use of it")
        if not report.media:
            print(f"  {report.samples:>9}  note     {'no media':<16} no sample has a medium: is it meant to be text alone?")
    if report.problems:
        raise typer.Exit(1)


@app.command()
def clean(
    spec: Spec,
    out: Annotated[Path, typer.Argument(help="The file to write (.jsonl), in this package's own format.")],
    allow: Annotated[list[str], typer.Option(help="A reason that is no problem here; may be repeated.")] = [],  # noqa: B006
    most: Annotated[float, typer.Option(min=0, max=1, help="The share of samples that may be left out.")] = 0.1,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    trust: Trust = None,
) -> None:
    """Write the data without the samples that `check` finds problems with."""
    import os

    from vistune.data.check.clean import clean as run

    kept, reasons = run(spec, out, frozenset(allow), most, workers or os.cpu_count() or 1)
    print(f"{kept} samples written; read them with samples:{out}")
    for reason, count in reasons.most_common():
        print(f"  {count:>9}  left out  {reason}")
    if reasons:
        print(f"what was left out, and why: {out}.rejects.jsonl")


@app.command("help")
def help_of(kind: Annotated[str, typer.Argument(help="A reader, such as conversations or qa.")]) -> None:
    """Print what a reader reads and its arguments."""
    from vistune.commands.parts import described
    from vistune.data.readers.base import Reader
    from vistune.data.samples import READERS

    print(described(READERS, kind, Reader))


@app.command()
def stats(
    spec: Spec,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet of random samples to this HTML file.")] = None,
    shown: Annotated[int, typer.Option(help="Samples on the sheet.")] = 24,
    seed: Annotated[int, typer.Option(help="Which samples the sheet shows.")] = 0,
    as_json: AsJson = False,
    trust: Trust = None,
) -> None:
    """Count what data holds: lengths, tasks, answers, vocabulary, media."""
    import json

    import yaml

    from vistune.data.contact_sheet import write_contact_sheet
    from vistune.data.order.permutation import permuted
    from vistune.data.samples import read
    from vistune.data.stats import stats_of
    from vistune.progress import track

    data = read(spec)
    facts = stats_of(track(data, "samples", len(data))).to_json()
    if sheet is not None:
        chosen = sorted(permuted(place, len(data), seed) for place in range(min(shown, len(data))))
        write_contact_sheet(sheet, spec, (data[index] for index in chosen), facts)
    print(
        json.dumps(facts, ensure_ascii=False) if as_json else yaml.safe_dump(facts, sort_keys=False, allow_unicode=True), end=""
    )


@app.command()
def convert(
    spec: Spec,
    kind: Annotated[str, typer.Argument(help="The format to write, e.g. conversations, messages, qa, coco, shards, samples.")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    images: Annotated[
        Path | None, typer.Option(help="Media paths are written relative to this folder (default: the file's).")
    ] = None,
    drop: Annotated[list[str], typer.Option(help="A part to leave out: regions, answers, choices, meta, turns.")] = [],  # noqa: B006
    extract: Annotated[Path | None, typer.Option(help="Write media that are no files of their own to this folder.")] = None,
    on_error: Annotated[str, typer.Option(help="stop, or skip: rejects go to OUT.rejects.jsonl, at most 1 %.")] = "stop",
    trust: Trust = None,
) -> None:
    """Write data in another format; what the format cannot hold is refused, by sample."""
    from contextlib import nullcontext

    from vistune.data.convert import convert as run
    from vistune.data.rejects import Rejects
    from vistune.data.samples import read, spelled
    from vistune.errors import InputError

    if on_error not in ("stop", "skip"):
        raise InputError(f"--on-error is stop or skip, not {on_error!r}")
    data = read(spec)
    guard = Rejects(f"{out}.rejects.jsonl", len(data)) if on_error == "skip" else nullcontext()
    with guard as rejects:
        count, back = run(
            data,
            kind,
            str(out),
            images=None if images is None else str(images),
            drop=drop,
            extract=None if extract is None else str(extract),
            rejects=rejects,
        )
    print(f"{count} samples written; read them with {spelled(back)}")


@app.command()
def split(
    spec: Spec,
    parts: Annotated[str, typer.Argument(help="Names and shares, such as train=0.9,val=0.1.")],
    out: Annotated[Path, typer.Argument(help="The folder for NAME.jsonl files.")],
    by: Annotated[str, typer.Option(help="What stays together: media, sample or meta.KEY.")] = "media",
    seed: Annotated[int, typer.Option(help="Another division.")] = 0,
    images: Annotated[Path | None, typer.Option(help="Media paths are written relative to this folder.")] = None,
    trust: Trust = None,
) -> None:
    """Divide data into parts that share no picture; data added later changes no part of what was there."""
    from vistune.data.manifest import named
    from vistune.data.samples import read
    from vistune.data.split import assign, parse_parts, write_parts
    from vistune.errors import InputError

    data, shares = read(spec), parse_parts(parts)
    if not len(data):
        raise InputError(f"{spec} holds no samples to divide")
    divided = assign(data, shares, by, seed)
    for name, target in write_parts(data, divided, out, images or out, named(spec)).items():
        print(f"{target}: {len(divided[name])} samples ({len(divided[name]) / len(data):.1%})")


@app.command()
def manifest(spec: Spec, trust: Trust = None) -> None:
    """Print which files the data is made of, with content hashes."""
    import json

    from vistune.data.manifest import manifest as run

    print(json.dumps(run(spec), indent=2, ensure_ascii=False))
