"""`vistune human`: people rate answers on a web page, and a report on what they said."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vistune.commands._trust import Trust

app = typer.Typer(help="Human evaluation: a rating page, and the report on the ratings.", no_args_is_help=True)


class Asked(StrEnum):
    """What raters do."""

    rate = "rate"
    compare = "compare"
    both = "both"


@app.command()
def serve(
    predictions: Annotated[list[Path], typer.Option(help="A model's predictions (JSONL); repeat for more models.")],
    data: Annotated[str, typer.Option(help="The samples that were answered, as kind:path.")],
    out: Annotated[Path, typer.Option(help="Folder for the study and its ratings; serve it again to resume.")],
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; anyone who reaches it can rate.")] = "127.0.0.1",
    ask: Annotated[Asked, typer.Option(help="Rate answers one by one, compare pairs, or both.")] = Asked.both,
    limit: Annotated[int | None, typer.Option(min=1, help="Draw this many samples.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the drawing and of every rater's order.")] = 0,
    trust: Trust = None,
) -> None:
    """Serve the page on which people rate relevance, coherence and fluency (1-5), and which of two answers is better."""
    from vistune.data.samples import read
    from vistune.errors import InputError
    from vistune.evals.human.server import RatingServer
    from vistune.evals.human.study import Ask, make_study
    from vistune.evals.prediction import read_predictions

    answers: dict[str, dict[str, str]] = {}
    for path in predictions:
        if path.stem in answers:
            raise InputError(f"two predictions files are called {path.stem!r}: the file's name is the model's, rename one")
        answers[path.stem] = {prediction.id: prediction.answer for prediction in read_predictions(path)}
    asks: dict[Asked, tuple[Ask, ...]] = {
        Asked.rate: ("rate",),
        Asked.compare: ("compare",),
        Asked.both: ("rate", "compare"),
    }
    study = make_study(read(data), answers, out, asks=asks[ask], limit=limit, seed=seed)
    for model, count in study.missing.items():
        if count:
            typer.echo(
                f"{model} has no answer to {count} sample(s); only samples that every model answered are shown", err=True
            )
    with RatingServer(study, out, host, port) as server:
        typer.echo(f"{len(study.items)} samples, {len(study.tasks(''))} tasks a rater: {server.url}  (Ctrl-C stops)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo(f"stopped; every rating is in {out / 'ratings'}, serve again to go on")


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print means, preferences, Krippendorff's alpha and bootstrap intervals."""
    from json import dumps

    from vistune.evals.human.ratings import read_all
    from vistune.evals.human.report import make_report, markdown
    from vistune.evals.human.study import load_study

    study = load_study(out)
    summary = make_report(study, read_all(out, study))
    typer.echo(dumps(summary.to_json(), indent=2) if json else markdown(summary), nl=json)
