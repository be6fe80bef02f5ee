"""`vistune score` and `vistune compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vistune.commands._settings import settings
from vistune.commands._trust import Trust

if TYPE_CHECKING:
    from vistune.evals.result import Result

app = typer.Typer()

Options = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="A variant of the benchmark: rule=official, split=val, ...")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def score(
    bench: Annotated[str, typer.Argument(help="The benchmark: vqa_v2, coco_captions, ...")],
    predictions: Annotated[Path | None, typer.Argument(help="Our JSONL, or the benchmark's official result file.")] = None,
    annotations: Annotated[
        str | None,
        typer.Option(
            help="The annotation file, or the folder of the official download; else the result file, if it holds them."
        ),
    ] = None,
    options: Options = [],  # noqa: B006 - typer reads it, nobody writes it
    judgements: Annotated[
        list[Path], typer.Option(help="Official reviews or grades, or replies kept by `vistune judge`; again for another run.")
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    partial: Annotated[bool, typer.Option(help="The samples are meant to be a part of those answered.")] = False,
    items: Annotated[Path | None, typer.Option(help="Also write every item's score to this JSONL file.")] = None,
    as_json: AsJson = False,
    trust: Trust = None,
) -> None:
    """Print the official number of a benchmark from a predictions file."""
    from vistune.errors import InputError
    from vistune.evals.score import score as run
    from vistune.evals.score import score_judgements
    from vistune.files import write_jsonl

    spec, given = benchmark_spec(bench, options), predictions or (judgements[0] if judgements else None)
    if given is None:
        raise InputError("name a file of predictions, or of judgements with --judgements")
    truth = annotations or str(given)  # official output lines often carry the question and its answer
    if judgements:
        result = score_judgements(spec, judgements, truth, predictions, partial=partial)
    else:
        result = run(spec, given, truth, partial=partial)
    if items is not None:
        write_jsonl(
            items, ({"id": name, "score": value} for name, value in zip(result.ids, result.items.tolist(), strict=True))
        )
    if as_json:
        print(json.dumps({"benchmark": bench, **result.to_json()}, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(summary(bench, result)))


@app.command()
def compare(
    bench: Annotated[str, typer.Argument(help="The benchmark both files are for.")],
    first: Annotated[Path, typer.Argument(help="Predictions of one model.")],
    second: Annotated[Path, typer.Argument(help="Predictions of the other.")],
    annotations: Annotated[str, typer.Option(help="The annotation file, or the folder of the official download.")],
    options: Options = [],  # noqa: B006 - typer reads it, nobody writes it
    resamples: Annotated[int, typer.Option(min=1, help="Paired bootstrap resamples.")] = 1000,
    as_json: AsJson = False,
    trust: Trust = None,
) -> None:
    """Compare two models on one benchmark: paired bootstrap, and McNemar's or the sign test."""
    from vistune.evals.reports.compare import compare as run
    from vistune.evals.score import open_benchmark, read_samples, score

    benchmark = open_benchmark(benchmark_spec(bench, options))
    samples = read_samples(benchmark, annotations)
    results = [score(benchmark, predictions, samples) for predictions in (first, second)]
    found = run(results[0], results[1], resamples=resamples)
    if as_json:
        print(json.dumps({"benchmark": bench, **found.to_json()}, allow_nan=False))
        return
    low, high = found.interval
    print(f"{bench}  {found.rule}  n={results[0].n}")
    print(f"  {found.name}  {found.first:.4f} against {found.second:.4f}, difference {found.difference:+.4f}")
    print(f"  paired bootstrap: 95% interval {low:+.4f} to {high:+.4f}, p = {found.bootstrap_p:.4g}")
    print(f"  {found.test} test: {found.wins} won, {found.losses} lost, {found.ties} tied, p = {found.test_p:.4g}")
    for path, result in zip((first, second), results, strict=True):
        if result.missing or result.unparsed or result.extra_ids:
            print(f"  {path}: {result.missing} missing, {result.unparsed} unparsed, {len(result.extra_ids)} extra")


def benchmark_spec(bench: str, options: list[str]) -> dict[str, Any]:
    """The spec of a benchmark and its `--set` variants."""
    return {"kind": bench, **settings(options)}


def summary(bench: str, result: Result) -> list[str]:
    """The lines that a person reads."""
    low, high = result.interval()
    width = max(len(name) for name in result.values)
    lines = [f"{bench}  {result.rule}  n={result.n}"]
    lines += [f"  {name:<{width}}  {value:.4f}{result.unit}" for name, value in result.values.items()]
    lines[1] += f"   95% interval {low:.4f} to {high:.4f}"
    if result.unparsed:
        lines.append(f"  {result.unparsed} answers unparsed, counted wrong")
    for count, ids, what in (
        (result.missing, result.missing_ids, "samples without a prediction, counted wrong"),
        (len(result.extra_ids), result.extra_ids, "predictions without a sample, not counted"),
    ):
        if count:
            lines.append(f"  {count} {what}: {', '.join(ids[:5])}{', ...' if count > 5 else ''}")
    return [*lines, *(f"  {note}" for note in result.notes)]
