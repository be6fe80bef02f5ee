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
    from vistune.model.answering.opening import load
    from vistune.model.interchange.export import export as run

    if to != "hf":
        raise InputError(f"--to {to!r}: expected hf")
    difference = run(load(model, device="cpu", dtype="float32"), out)
    print(f"{out}\nlargest logit difference to transformers: {difference:.3g}\nnext: transformers serve {out}")


@app.command(name="import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="A LLaVA, BLIP-2 or InstructBLIP of transformers, or a LLaVA of the original code.")
    ],
    out: Out,
    template: Annotated[str | None, typer.Option(help="The prompt template, where the model's own is not to be used.")] = None,
    llm: Annotated[str | None, typer.Option(help="The language model that the files were made for.")] = None,
    layout: Annotated[str | None, typer.Option(help="The method whose official files these are, by name.")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="With a layout: KEY=VALUE, as in its recipe.")] = None,
    trust: Trust = None,
) -> None:
    """Turn a model of other software into a checkpoint, and compare its logits there with ours."""
    from vistune.commands._settings import settings
    from vistune.model.interchange.formats.layout import import_official, recognised
    from vistune.model.interchange.import_any import import_any
    from vistune.model.spec import ModelSpec
    from vistune.recipe import load_recipe

    layout = layout or (None if (source / "config.json").is_file() else recognised(source))
    if layout is not None:
        given = {"model.llm": llm, "model.template": template}
        told = {key: value for key, value in given.items() if value is not None} | settings(changes or [])
        model = load_recipe(layout).override(told).model
        assert isinstance(model, ModelSpec)
        import_official(source, out, layout, model)
        print(f"{out}\nread by the key map of {layout}; what it kept frozen is read from where its recipe says")
        return
    difference = import_any(source, out, template, llm)
    print(out)
    if difference is None:
        print("transformers has no such architecture to compare logits with")
    else:
        print(f"largest logit difference to transformers: {difference:.3g}")
