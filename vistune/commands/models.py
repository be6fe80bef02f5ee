"""`vistune merge`, `export`, `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vistune.commands._trust import Trust

app = typer.Typer()

Checkpoint = Annotated[Path, typer.Argument(help="A checkpoint folder.")]
Out = Annotated[Path, typer.Option(help="The folder to write; it must not exist.")]


@app.command()
def merge(model: Checkpoint, out: Out, trust: Trust = None) -> None:
    """Fold a model's adapters into its weights, in fp32."""
    from vistune.model.interchange.merge import merge as run

    difference = run(model, out)
    print(f"{out}\nlargest logit difference: {difference:.3g}")


@app.command()
def export(
    model: Checkpoint,
    out: Out,
    to: Annotated[
        str, typer.Option(help="The format: hf, a directory transformers loads and vLLM-class engines serve.")
    ] = "hf",
    trust: Trust = None,
) -> None:
    """Write a model for other software, and compare its logits there with ours."""
    from vistune.errors import InputError
    from vistune.model.interchange.export import export as run
    from vistune.model.weights.checkpoint import load

    if to != "hf":
        raise InputError(f"--to {to!r}: expected hf")
    difference = run(load(model), out)
    print(f"{out}\nlargest logit difference to transformers: {difference:.3g}\nnext: transformers serve {out}")


@app.command(name="import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="A LLaVA, BLIP-2 or InstructBLIP of transformers, or a LLaVA of the original code.")
    ],
    out: Out,
    template: Annotated[str | None, typer.Option(help="The prompt template, where the model's own is not to be used.")] = None,
    llm: Annotated[str | None, typer.Option(help="The language model an mm_projector.bin was made for.")] = None,
    trust: Trust = None,
) -> None:
    """Turn a model of other software into a checkpoint, and compare its logits there with ours."""
    from vistune.model.interchange.import_any import import_any

    difference = import_any(source, out, template, llm)
    print(out)
    if difference is None:
        print("transformers has no such architecture to compare logits with")
    else:
        print(f"largest logit difference to transformers: {difference:.3g}")
