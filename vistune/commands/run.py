"""`vistune train`, `chat`, `predict`, `recipes`, `show`, `demo`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vistune.commands._answerers import MODEL
from vistune.commands._device import Device, Dtype
from vistune.commands._ranking import OPTIONS
from vistune.commands._settings import settings
from vistune.commands._shots import Shots, ShotsBy, ShotsSeed, shown
from vistune.commands._trust import Trust
from vistune.errors import InputError, speaks

if TYPE_CHECKING:
    from vistune.recipe import Recipe

app = typer.Typer()

Changes = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="Replace a value, as in stages.1.epochs=2 or model.llm=DIR.")
]
Nano = Annotated[bool, typer.Option("--nano", help="The backbones and data that ship with the package: minutes on two cores.")]


@app.command()
def recipes(
    takes: Annotated[list[str], typer.Option(help="Only what takes this: pictures, films, sounds, shapes, regions.")] = [],  # noqa: B006
    gives: Annotated[list[str], typer.Option(help="Only what gives this: masks, boxes, pictures.")] = [],  # noqa: B006
    family: Annotated[str, typer.Option(help="Only this family.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/methods.md.")] = False,
) -> None:
    """List the published methods that run here, by family."""
    import json

    from vistune.errors import InputError, nearest
    from vistune.methods.page import page, table
    from vistune.methods.table import FAMILIES, chosen, methods

    if family and family not in FAMILIES:
        raise InputError(f"there is no family {family!r}{nearest(family, list(FAMILIES))}")
    if as_markdown:
        print(page(methods()), end="")
        return
    rows = chosen(takes, gives, family)
    if as_json:
        print(json.dumps([row.to_json() for row in rows], ensure_ascii=False))
        return
    print("\n".join(table(rows)) if rows else "no method takes and gives all of this")


@app.command()
def show(
    recipe: str,
    nano: Nano = False,
    changes: Changes = [],  # noqa: B006 - typer reads it, nobody writes it
    check: Annotated[bool, typer.Option("--check", help="Build the model without weights: all must fit.")] = False,
    trust: Trust = None,
) -> None:
    """Print a recipe as the YAML that `train` takes back."""
    from vistune.recipe import load_recipe

    chosen = resolved(recipe, nano, changes)
    if check:
        from vistune.training.planning.budget import checked

        print(checked(chosen))
        return
    changed = chosen.apart(load_recipe(recipe))
    if changed:
        print("\n".join([f"# Set apart from {recipe}:", *(f"#   {line}" for line in changed)]))
    print(chosen.to_yaml(), end="")


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name (see `vistune recipes`) or a run file (.yaml).")],
    out: Annotated[Path, typer.Option(help="The run folder. An interrupted run of the same recipe continues.")],
    data: Annotated[
        str | None, typer.Option(help="Data of the last stage, as kind:path?key=value; of others: --set stages.NAME.data=...")
    ] = None,
    start: Annotated[Path | None, typer.Option("--from", help="Begin with the model of this checkpoint.")] = None,
    only: Annotated[list[str], typer.Option("--stage", help="Run this stage alone; may be repeated.")] = [],  # noqa: B006
    check: Annotated[bool, typer.Option("--check", help="Assemble, look at first samples, train nothing.")] = False,
    nano: Nano = False,
    changes: Changes = [],  # noqa: B006
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    save_every: Annotated[int, typer.Option(min=1, help="Steps between states to resume from.")] = 200,
    parallel: Annotated[str, typer.Option(help="Under torchrun: the model whole on each process (ddp) or cut (fsdp).")] = "ddp",
    accept: Annotated[
        list[str], typer.Option(help="Go on though this is another now: data, weights, precision, device, versions.")
    ] = [],  # noqa: B006
    track: Annotated[
        list[str], typer.Option(help="Also send the numbers there: tensorboard, wandb, trackio, ...; may be repeated.")
    ] = [],  # noqa: B006
    trust: Trust = None,
) -> None:
    """Run a recipe's stages."""
    from typing import cast

    from vistune.training.distributed import Parallel
    from vistune.training.run import check as run_check
    from vistune.training.run import train as run
    from vistune.training.steps.precision import Precision

    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(f"--precision {precision!r}: expected auto, fp32 or bf16")
    if parallel not in ("ddp", "fsdp"):
        raise InputError(f"--parallel {parallel!r}: expected ddp or fsdp")
    made = resolved(recipe, nano, changes, start, only)
    if check:
        print(run_check(made, out, data))
        return
    chosen = cast(Precision, precision), save_every, True, cast(Parallel, parallel)
    folder = run(made, out, data, *chosen, accept=accept, trackers=track)
    if speaks():
        print(f"{folder}\nnext: vistune chat {folder} --image FILE 'What is in the picture?'")


@app.command()
def chat(
    model: Annotated[
        str, typer.Argument(help="A checkpoint folder, a model of transformers (directory or hub id), or with --url its name.")
    ],
    question: Annotated[str | None, typer.Argument(help="Without it, questions are read from the terminal.")] = None,
    image: Annotated[list[Path], typer.Option(help="A picture to talk about; may be repeated.")] = [],  # noqa: B006
    video: Annotated[list[Path], typer.Option(help="A film to talk about; may be repeated.")] = [],  # noqa: B006
    audio: Annotated[list[Path], typer.Option(help="A sound to talk about; may be repeated.")] = [],  # noqa: B006
    points: Annotated[list[Path], typer.Option(help="A point cloud to talk about; may be repeated.")] = [],  # noqa: B006
    region: Annotated[
        str | None,
        typer.Option(metavar="X1,Y1,X2,Y2", help="A box on the first picture, in [0, 1], that is asked about."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="A running server (`vistune serve`) to ask instead.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the answer's boxes and masks are drawn; media that it makes are kept beside it.")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 256,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = None,
) -> None:
    """Talk about a picture, a film, a sound: one question, or a conversation."""
    from vistune.chat import Answering, Conversation
    from vistune.commands._answerers import open_model
    from vistune.commands._talk import answer, boxed, converse
    from vistune.sample import Media, MediaKind

    kinds: dict[MediaKind, list[Path]] = {"image": image[1:], "video": video, "audio": audio, "points": points}
    further = [Media.file(kind, str(path)) for kind, paths in kinds.items() for path in paths]
    opened: Answering
    if url is None:
        opened = open_model(model, device, dtype)
    else:
        from vistune.serving.client import RemoteModel

        opened = RemoteModel(url, model)
    talk = Conversation(opened, str(image[0]) if image else None, max_new_tokens, further)
    if question is not None:
        answer(talk, question, out, None if region is None else lambda words: talk.ask(words, boxed(region, "--region", image)))
        return
    if region is not None:
        raise InputError("--region belongs to a question: give one, or use /region in the conversation")
    converse(talk, out)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help=MODEL)],
    data: Annotated[str, typer.Option(help="What to answer, as kind:path?key=value.")],
    out: Annotated[Path, typer.Option(help="The predictions file (JSONL); an interrupted one is continued.")],
    batch_size: Annotated[int, typer.Option(min=1)] = 64,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 128,
    unseeing: Annotated[bool, typer.Option("--blind", help="Control: show each question another sample's picture.")] = False,
    options: Annotated[str | None, typer.Option(metavar="sum|mean", help=OPTIONS)] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples.")] = None,
    shots: Shots = 0,
    shots_from: Annotated[str | None, typer.Option(help="Where demonstrations are taken from, as kind:path?key=value.")] = None,
    shots_by: ShotsBy = "random",
    shots_seed: ShotsSeed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = None,
) -> None:
    """Answer every sample's last question into a file."""
    from vistune.commands._answerers import open_answerer
    from vistune.commands._ranking import arguments_of
    from vistune.data.samples import read
    from vistune.evals.controls import blind
    from vistune.evals.run import predict as run
    from vistune.journal import count_records

    read_samples = read(data)
    found = [read_samples[index] for index in range(len(read_samples))[:limit]]
    samples = blind(found) if unseeing else found
    if shots:
        if shots_from is None:
            raise InputError("--shots needs --shots-from: the data that demonstrations are taken from")
        samples = shown(shots, shots_by, shots_seed)(samples, list(read(shots_from)))
    answerer = open_answerer(model, out, device, dtype)
    answers = run(answerer, samples, out, arguments_of(answerer, max_new_tokens, options), batch_size)
    others = count_records(out) - len(answers)
    print(f"{len(answers)} predictions in {out}" + (f", beside {others} of other samples" if others else ""))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The run folder.")] = Path("runs/demo"),
    questions: Annotated[int, typer.Option(min=1, help="Test questions for each task.")] = 200,
) -> None:
    """The whole loop on what ships with the package: align, tune, measure against controls, report."""
    from vistune.demo.run import demo as run

    print(run(out, questions))


def resolved(recipe: str, nano: bool, changes: list[str], start: Path | None = None, only: Sequence[str] = ()) -> Recipe:
    """A recipe with the command line's changes: on the model of the checkpoint `start`, `only` some of its stages."""
    from vistune.nano import nano as shrink
    from vistune.recipe import load_recipe
    from vistune.recipe import only as chosen

    made = load_recipe(recipe)
    if start is not None:
        from vistune.training.beginning.start import beginning_at

        made = beginning_at(shrink(made) if nano else made, start)
    elif nano:
        made = shrink(made)
    return chosen(made.override(settings(changes)), only)
