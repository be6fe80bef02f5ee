"""`vistune benchmarks`, `eval`, `judge` and `import-predictions`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vistune.commands._answerers import MODEL
from vistune.commands._device import Device, Dtype
from vistune.commands._ranking import OPTIONS
from vistune.commands._settings import settings
from vistune.commands._shots import Shots, ShotsBy, ShotsSeed, shown
from vistune.commands._trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vistune.evals.prediction import Prediction
    from vistune.evals.reports.elo import Standing
    from vistune.sample import Sample

app = typer.Typer()

Completer = Annotated[
    str, typer.Option(help="The judge's model: endpoint:https://host/v1?model=NAME, local:PATH, replay:FILE.")
]


@app.command()
def benchmarks(
    name: Annotated[str | None, typer.Argument(help="Tell everything about one benchmark.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with files, result forms and variants.")] = False,
    to: Annotated[Path | None, typer.Option(help="Write the page of all benchmarks (Markdown) to this file.")] = None,
) -> None:
    """List the benchmarks; of one: files, result forms with examples, ids, variants, published numbers, departures."""
    from vistune.errors import InputError
    from vistune.evals.listing import listed, listing
    from vistune.evals.reports.benchmark_pages import page, pages
    from vistune.files import atomic_open

    if name is not None and to is not None:
        raise InputError("--to writes the page of all benchmarks: leave the name out")
    found = listing() if name is None else [listed(name)]
    if to is not None:
        with atomic_open(to) as file:
            file.write(pages(found))
    elif as_json:
        described = [asdict(item) for item in found]
        typer.echo(json.dumps(described if name is None else described[0], ensure_ascii=False, indent=2))
    elif name is not None:
        typer.echo(page(found[0]), nl=False)
    else:
        for item in found:
            typer.echo(f"{item.name:<26}{item.about}\n{'':<26}reads {item.files['annotations']}; answers: {item.answers}")
        typer.echo("next: vistune benchmarks NAME")


@app.command()
def eval(
    model: Annotated[str, typer.Argument(help=MODEL)],
    bench: Annotated[str, typer.Option(help="Benchmarks, comma-separated: pope,gqa=/data/gqa,...")],
    out: Annotated[Path, typer.Option(help="Predictions and results; run again to continue.")],
    data: Annotated[Path, typer.Option(help="The folder that holds each benchmark's official files under its name.")] = Path(),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples of each benchmark.")] = None,
    changes: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="A variant of the benchmarks, or of one: split=val, pope.rule=exact."),
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    called: Annotated[str | None, typer.Option("--name", help="What reports call the model.")] = None,
    batch_size: Annotated[int, typer.Option(min=1)] = 64,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 128,
    options: Annotated[str | None, typer.Option(metavar="sum|mean", help=OPTIONS)] = None,
    shots: Shots = 0,
    shots_from: Annotated[
        str | None,
        typer.Option(help="Annotation files, in the benchmarks' own layouts, of demonstrations: gqa=/data/train.json,..."),
    ] = None,
    shots_by: ShotsBy = "random",
    shots_seed: ShotsSeed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = None,
) -> None:
    """Answer benchmarks with a model and score the answers."""
    from vistune.commands._answerers import open_answerer
    from vistune.commands._ranking import arguments_of
    from vistune.evals.run import evaluate

    places: dict[str, str] = {}
    for entry in bench.split(","):
        name, _, place = entry.strip().partition("=")
        places[name] = place or str(data / name)
    variants = _variants(list(places), settings(changes))
    told = _demonstrations(list(places), variants, shots_from, shown(shots, shots_by, shots_seed)) if shots else None
    answerer = open_answerer(model, out / "http", device, dtype)
    arguments = arguments_of(answerer, max_new_tokens, options)
    results = evaluate(answerer, places, out, arguments, batch_size, limit, variants, called, told)
    for name, result in results.items():
        low, high = result.interval()
        number = f"{result.headline:.2f} [{low:.2f}, {high:.2f}] {result.unit}"
        typer.echo(f"{name}: {result.name} {number} (n {result.n}, {result.rule})")
    typer.echo(f"next: vistune report {out} --out {out}")


def _variants(names: list[str], given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of each benchmark: `split=val` is for all, `pope.rule=exact` for one."""
    from vistune.errors import InputError, nearest

    made: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in given.items():
        owner, dot, setting = key.rpartition(".")
        if dot and owner not in made:
            raise InputError(f"--set {key}: {owner!r} is not among --bench{nearest(owner, names)}")
        for name in [owner] if dot else names:
            made[name][setting] = value
    return made


def _demonstrations(
    names: list[str],
    variants: dict[str, dict[str, Any]],
    given: str | None,
    show: Callable[[Sequence[Sample], Sequence[Sample]], list[Sample]],
) -> Callable[[str, Sequence[Sample]], list[Sample]]:
    """What puts demonstrations before a benchmark's samples: each has a file of its own, read before anything is answered."""
    from vistune.errors import InputError
    from vistune.evals.score import open_benchmark, read_samples

    places = dict(entry.strip().partition("=")[::2] for entry in (given or "").split(",") if entry.strip())
    if absent := [name for name in names if not places.get(name)]:
        raise InputError(f"--shots needs --shots-from {absent[0]}=FILE: the annotations that its demonstrations are taken from")
    pools = {name: read_samples(open_benchmark({"kind": name, **variants[name]}), places[name]) for name in names}
    return lambda name, samples: show(samples, pools[name])


@app.command()
def judge(
    judge: Annotated[str, typer.Argument(help="rating, llava_bench, mm_vet, video_chatgpt, qa_match or pairwise.")],
    bench: Annotated[str, typer.Argument(help="The benchmark that was answered.")],
    predictions: Annotated[list[Path], typer.Argument(help="A predictions file; for pairwise, one of each model.")],
    annotations: Annotated[str, typer.Option(help="The annotation file, or the folder of the official download.")],
    completer: Completer,
    out: Annotated[Path, typer.Option(help="The file of raw replies (JSONL); run again to continue.")],
    options: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="A variant of the judge: swap=true, show_images=true.")
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    trust: Trust = None,
) -> None:
    """Let a language model judge answers. Every raw reply is kept; scores can be computed from them again."""
    from vistune.commands.evaluate import benchmark_spec
    from vistune.construction.opening import open_completer
    from vistune.errors import InputError
    from vistune.evals.judges.base import Judge, judged, run
    from vistune.evals.score import in_order, open_benchmark, read_answers, read_samples
    from vistune.spec import build

    opened, asking = open_benchmark(bench), open_completer(completer)
    samples = read_samples(opened, annotations)
    given: dict[str, list[Prediction | None]] = {}
    for path in predictions:
        if path.stem in given:
            raise InputError(f"two predictions files are called {path.stem!r}: the file's name is the model's, rename one")
        given[path.stem] = in_order(samples, read_answers(opened, path, samples).predictions)
    spec = benchmark_spec(judge, options)
    if judge == "pairwise":
        from vistune.evals.reports.arena import arena

        unknown = sorted(spec.keys() - {"kind", "show_images"})
        if unknown:
            raise InputError(f"the judge 'pairwise' has no setting {unknown[0]!r}; its only one is show_images")
        _print_standings(arena(samples, given, asking, out, show_images=bool(spec.get("show_images"))), as_json)
        return
    if len(given) > 1:
        raise InputError(f"the judge {judge!r} takes one predictions file; only 'pairwise' compares several")
    grader: Judge = build("vistune.evals.judges", spec, Judge)
    ((model, answers),) = given.items()
    result = judged(grader, samples, answers, run(grader, samples, answers, asking, out), out)
    if as_json:
        typer.echo(json.dumps({"benchmark": bench, "model": model, **result.to_json()}, ensure_ascii=False))
        return
    for name, value in result.values.items():
        typer.echo(f"{name:<24}{value:.2f}")
    typer.echo(f"{result.rule}, n {result.n}, missing {result.missing}, unread replies {result.unparsed}; {result.notes[-1]}")


def _print_standings(standings: list[Standing], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(standing) for standing in standings]))
        return
    for standing in standings:
        typer.echo(
            f"{standing.model:<24}{standing.rating:7.1f} [{standing.low:.1f}, {standing.high:.1f}]  {standing.matches} matches"
        )


@app.command()
def import_predictions(
    path: Annotated[Path, typer.Argument(help="samples_*.jsonl of lmms-eval, or a .tsv/.json of VLMEvalKit.")],
    out: Annotated[Path, typer.Option(help="Our predictions file (JSONL).")],
    identifier: Annotated[str | None, typer.Option("--id", help="The field with the id that the benchmark here uses.")] = None,
) -> None:
    """Convert predictions made by lmms-eval or VLMEvalKit, so that `vistune score` can score them."""
    from vistune.evals.reading.imports import import_predictions as read
    from vistune.files import write_jsonl

    count = write_jsonl(out, (prediction.to_json() for prediction in read(path, identifier)))
    typer.echo(f"{count} predictions in {out}")
