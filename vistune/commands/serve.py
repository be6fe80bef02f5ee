"""`vistune serve`: models over HTTP, and the page on which people talk to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vistune.commands._answerers import MODEL
from vistune.commands._device import Device, Dtype
from vistune.commands._trust import Trust
from vistune.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistune.model.answering.opening import Model

app = typer.Typer()


@app.command()
def serve(
    models: Annotated[
        list[str],
        typer.Argument(help="Checkpoint folders, or models of transformers; NAME=MODEL serves one under another name."),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    api_key: Annotated[
        str | None, typer.Option(envvar="VISTUNE_API_KEY", help="What clients must send; better given in the environment.")
    ] = None,
    open_to_all: Annotated[bool, typer.Option("--open", help="Serve others than this machine without a key.")] = False,
    name: Annotated[list[str], typer.Option(help="A host name this server answers to, beside plain addresses.")] = [],  # noqa: B006
    allow_origin: Annotated[list[str], typer.Option(help="An origin whose pages may ask, as https://example.org.")] = [],  # noqa: B006
    allow_host: Annotated[
        list[str], typer.Option(help="A host, or host:port, that media may be fetched from; none unless named.")
    ] = [],  # noqa: B006
    max_body_mb: Annotated[int, typer.Option(min=1, help="Largest request, media and all.")] = 64,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 4096,
    max_rows: Annotated[int, typer.Option(min=1, help="Answers that are written at once.")] = 32,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that wait; more are refused (429).")] = 128,
    max_queue_tokens: Annotated[int, typer.Option(min=1, help="Tokens that waiting requests may come to take.")] = 1 << 20,
    media_cache_mb: Annotated[
        int, typer.Option(min=0, help="Media that were shown are kept encoded in this much memory.")
    ] = 512,
    prefix_cache_mb: Annotated[
        int, typer.Option(min=0, help="Keys and values of prompts are kept in this much memory.")
    ] = 1024,
    drain: Annotated[float, typer.Option(min=0, help="Seconds that running answers are waited for at the end.")] = 60.0,
    votes: Annotated[
        Path | None, typer.Option(help="Folder for votes of the page's comparisons (vistune human report).")
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = None,
) -> None:
    """Serve models over OpenAI's protocol, with a page to talk to them at /."""
    try:
        from vistune.serving.server import Server
    except ImportError as error:
        if error.name and error.name.partition(".")[0] in ("starlette", "uvicorn", "prometheus_client"):
            raise MissingExtraError(error.name, "serve", "serving") from error
        raise
    from vistune.serving.engine.engine import Limits
    from vistune.serving.settings import Settings

    settings = Settings(
        host=host,
        port=port,
        key=api_key,
        open=open_to_all,
        names=tuple(each.lower() for each in name),
        origins=tuple(allow_origin),
        hosts=tuple(each.lower() for each in allow_host),
        body=max_body_mb << 20,
        max_tokens=max_tokens,
        drain=drain,
        votes=votes,
        limits=Limits(max_rows, max_queue, max_queue_tokens, media_cache_mb << 20, prefix_cache_mb << 20),
    )
    Server(_loaders(models, device, dtype), settings).run_all()


@app.command()
def caption(
    model: Annotated[str, typer.Argument(help=MODEL)],
    folder: Annotated[Path, typer.Argument(help="A folder of pictures or films; folders inside it count.")],
    out: Annotated[Path, typer.Option(help="The answers (JSONL), by path; an interrupted file is continued.")],
    question: Annotated[str, typer.Option(help="What is asked about each.")] = "Describe the picture.",
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 128,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = None,
) -> None:
    """Ask one question about every picture or film of a folder."""
    from vistune.commands._answerers import open_answerer
    from vistune.data.folder import one_question
    from vistune.evals.run import predict

    samples = one_question(folder, question)
    answers = predict(open_answerer(model, out, device, dtype), samples, out, {"max_new_tokens": max_new_tokens}, batch_size)
    typer.echo(f"{len(answers)} answers in {out}")


@app.command()
def conformance(
    url: Annotated[str, typer.Argument(help="A server of OpenAI's protocol, as http://127.0.0.1:8000.")],
    model: Annotated[str, typer.Option(help="The model to ask; by default the first that is listed.")] = "",
    api_key: Annotated[str, typer.Option(envvar="VISTUNE_API_KEY", help="What the server asks for.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that a server keeps to chat completions with media; exit code 1 where it does not."""
    from json import dumps

    from vistune.serving.conformance.checks import CHECKS, verdict
    from vistune.serving.conformance.target import Broken, Target

    try:
        target = Target(url, model, api_key)
    except Broken as broken:
        raise InputError(f"{url} cannot be asked: {broken}") from broken
    found = {check.__name__: (check.__doc__ or "", verdict(check, target)) for check in CHECKS}
    if as_json:
        typer.echo(dumps({name: said for name, (_, said) in found.items()}, indent=2))
    else:
        for title, said in found.values():
            typer.echo(f"{'ok  ' if said is None else 'FAIL'}  {title}" + ("" if said is None else f": {said}"))
    failed = sum(said is not None for _, said in found.values())
    if failed:
        raise typer.Exit(1)


def _loaders(models: list[str], device: str, dtype: str) -> dict[str, Callable[[], Model]]:
    """A function that loads each model, by the name that clients ask for."""
    from functools import partial

    from vistune.commands._answerers import open_model

    found: dict[str, Callable[[], Model]] = {}
    for model in models:
        name, equals, path = model.partition("=")
        if not equals:
            name, path = (Path(model).resolve().name if Path(model).exists() else model), model
        if not name or name in found:
            raise InputError(f"two models would be served as {name!r}: give one another name, as NAME={path}")
        found[name] = partial(open_model, path, device, dtype)
    return found
