"""`vistune plan`: what a recipe takes, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vistune.commands._trust import Trust
from vistune.commands.run import Changes, Nano, resolved
from vistune.errors import InputError

if TYPE_CHECKING:
    from vistune.training.planning.plan import Outlook

app = typer.Typer()


@app.command()
def plan(
    recipe: Annotated[str, typer.Argument(help="A recipe's name (see `vistune recipes`) or a run file (.yaml).")],
    gpus: Annotated[int, typer.Option(min=1, help="How many GPUs, one process each.")] = 8,
    gpu: Annotated[str, typer.Option(help="Which, by name: its peak is looked up.")] = "H100",
    peak: Annotated[float | None, typer.Option(help="The peak of one in TFLOP/s, for a GPU that is not known.")] = None,
    memory: Annotated[float | None, typer.Option(min=0.1, help="Its memory in GiB, for a GPU that is not known.")] = None,
    mfu: Annotated[float, typer.Option(min=0.01, max=1, help="The share of the peak that training reaches (assumed).")] = 0.4,
    parallel: Annotated[str, typer.Option(help="The model whole on each GPU (ddp) or cut (fsdp).")] = "fsdp",
    precision: Annotated[str, typer.Option(help="bf16 or fp32.")] = "bf16",
    words: Annotated[int, typer.Option(min=2, help="Tokens of text in a sample (assumed).")] = 256,
    answers: Annotated[int, typer.Option(min=1, help="How many of them are supervised (assumed).")] = 128,
    pictures: Annotated[int, typer.Option(min=0, help="Pictures in a sample (assumed).")] = 1,
    nano: Nano = False,
    changes: Changes = [],  # noqa: B006 - typer reads it, nobody writes it
    as_json: Annotated[bool, typer.Option("--json")] = False,
    trust: Trust = None,
) -> None:
    """Memory for each GPU, operations and time of a recipe's stages, from its configurations alone."""
    import math
    from typing import Literal, cast

    from vistune.training.planning.peaks import capacity, known, published
    from vistune.training.planning.plan import Assumed, fitting, outlooks

    if parallel not in ("ddp", "fsdp"):
        raise InputError(f"--parallel {parallel!r}: expected ddp or fsdp")
    if precision not in ("bf16", "fp32"):
        raise InputError(f"--precision {precision!r}: expected bf16 or fp32")
    if peak is not None and not 0 < peak < math.inf:
        raise InputError(f"--peak {peak:g}: expected a number of TFLOP/s above 0")
    if answers > words:
        raise InputError(f"--answers {answers}: of a sample's {words} tokens of text (--words) at most all are supervised")
    speed = peak * 1e12 if peak is not None else published(gpu) if precision == "bf16" else None
    if speed is None:
        names = f" (known: {', '.join(known())})" if published(gpu) is None else ""
        raise InputError(f"the peak of {gpu!r} in {precision} is not known here: give it with --peak TFLOPS{names}")
    assumed = Assumed(speed, mfu, words, answers, pictures)
    numbers = cast(Literal["fp32", "bf16"], precision)
    made = resolved(recipe, nano, changes)
    if parallel == "fsdp" and gpus == 1:
        parallel = "ddp"  # one device has nobody to share with
    rows = outlooks(made, gpus, parallel == "fsdp", numbers, assumed)
    if as_json:
        _print_json(rows)
        return
    print(f"{gpus} x {gpu if peak is None else f'{peak:g} TFLOP/s'}, {parallel}, {precision}; assumed: {mfu:.0%} of the peak,")
    print(f"{words} tokens of text a sample, {answers} of them supervised, {pictures} picture(s)\n")
    print(table(rows))
    room = memory * 2**30 if memory is not None else capacity(gpu)
    if room is not None:
        print("\n" + "\n".join(fitting(made, gpus, parallel == "fsdp", numbers, assumed, room)))


def table(rows: list[Outlook]) -> str:
    """A column for each stage."""
    gib = 2**30
    lines = {
        "parameters": [f"{row.parameters / 1e6:,.1f} M" for row in rows],
        "  of them trained": [f"{row.trained / 1e6:,.1f} M" for row in rows],
        "memory of each GPU": [f"{row.memory.total / gib:,.2f} GiB" for row in rows],
        **{
            f"  {part}": [f"{getattr(row.memory, part) / gib:,.2f} GiB" for row in rows]
            for part in ("weights", "gradients", "optimizer", "activations", "logits")
        },
        "tokens a step": [f"{row.tokens:,}" for row in rows],
        "operations a step": [f"{row.flops:.3g}" for row in rows],
        "seconds a step": [f"{row.seconds:,.3g}" for row in rows],
        "tokens a second": [f"{row.tokens_per_second:,.0f}" for row in rows],
    }
    cells = {"stage": [row.stage for row in rows], **lines}
    return "\n".join(f"{name:<22}" + "".join(f"{value:>18}" for value in values) for name, values in cells.items())


def _print_json(rows: list[Outlook]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps([asdict(row) | {"tokens_per_second": row.tokens_per_second} for row in rows]))
