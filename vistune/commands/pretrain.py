"""`vistune pretrain`: teach the small backbones that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Teach the small backbones that ship with the package, from nothing.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder for the model, its log and what resuming needs.")]
Steps = Annotated[int, typer.Option(min=1, help="Optimizer steps.")]
Seed = Annotated[int, typer.Option(min=0)]
Until = Annotated[int | None, typer.Option(min=1, help="Stop after this many steps of the schedule, to be continued.")]


@app.command()
def vision(out: Out, steps: Steps = 4400, batch: int = 32, seed: Seed = 0, until: Until = None) -> None:
    """Contrast with captions and dense labels on scenes: a CLIP of 2.7 M + 0.7 M parameters, in OUT/clip."""
    from vistune.pretrain.vision import pretrain_vision

    _show(pretrain_vision(out, steps, batch, seed=seed, until=until))


@app.command()
def language(
    out: Out,
    steps: Steps = 3000,
    batch: int = 16,
    seed: Seed = 0,
    until: Until = None,
    lr: Annotated[float, typer.Option(help="Muon's; AdamW takes a tenth.")] = 2e-2,
    begin: Annotated[str | None, typer.Option(help="A model to go on from: a directory, or builtin:NAME.")] = None,
) -> None:
    """Next-token prediction on scenes told in words: a Llama of 3.3 M parameters, in OUT/language."""
    from vistune.pretrain.language import pretrain_language

    _show(pretrain_language(out, steps, batch, lr, seed, until, begin))


@app.command()
def audio(out: Out, steps: Steps = 1000, batch: int = 16, seed: Seed = 0, until: Until = None) -> None:
    """Transcripts and dense labels on sounds: a Whisper of 0.9 M + 0.6 M parameters, in OUT/whisper."""
    from vistune.pretrain.audio import pretrain_audio

    _show(pretrain_audio(out, steps, batch, seed=seed, until=until))


@app.command()
def points(out: Out, steps: Steps = 900, batch: int = 16, seed: Seed = 0, until: Until = None) -> None:
    """Dense labels on point clouds: a PointBERT of 1.1 M parameters, in OUT/point_bert."""
    from vistune.pretrain.points import pretrain_points

    _show(pretrain_points(out, steps, batch, seed=seed, until=until))


@app.command()
def video(out: Out, steps: Steps = 450, batch: int = 16, seed: Seed = 0, until: Until = None) -> None:
    """Dense labels on films: a ViViT of 2.3 M parameters that begins as the shipped image encoder, in OUT/vivit."""
    from vistune.pretrain.video import pretrain_video

    _show(pretrain_video(out, steps, batch, seed=seed, until=until))


@app.command()
def masks(out: Out, steps: Steps = 1200, batch: int = 8, seed: Seed = 0, until: Until = None) -> None:
    """Objects cut out from boxes and points: a Segment Anything of 0.7 M parameters, in OUT/sam."""
    from vistune.pretrain.masks import pretrain_masks

    _show(pretrain_masks(out, steps, batch, seed=seed, until=until))


@app.command()
def codes(out: Out, steps: Steps = 1200, batch: int = 16, seed: Seed = 0, until: Until = None) -> None:
    """Scenes given back: a code book of 512 entries with its decoder, in OUT/code_book."""
    from vistune.pretrain.codes import pretrain_codes

    _show(pretrain_codes(out, steps, batch, seed=seed, until=until))


@app.command()
def painter(out: Out, steps: Steps = 1400, batch: int = 32, seed: Seed = 0, until: Until = None) -> None:
    """Pictures of one object from words: a diffusion transformer of 1.3 M parameters, in OUT/painter."""
    from vistune.pretrain.painter import pretrain_painter

    _show(pretrain_painter(out, steps, batch, seed=seed, until=until))


@app.command()
def probe(
    what: Annotated[str, typer.Argument(help="audio, points, video, pages, masks, codes or painter.")],
    path: Annotated[str, typer.Option(help="The model: a directory, or builtin:NAME; default the shipped one.")] = "",
) -> None:
    """What a model knows of writers, voices and shapes that were not taught."""
    from vistune.errors import InputError, nearest
    from vistune.pretrain.probing.probes import PROBES

    if what not in PROBES:
        raise InputError(f"there is no probe {what!r}{nearest(what, list(PROBES))}")
    measure, shipped = PROBES[what]
    if not path and not shipped:
        raise InputError(f"no model of {what} ships with the package: name one with --path")
    _show(measure(path or shipped))


def _show(scores: dict[str, float]) -> None:
    print("  ".join(f"{name} {value:.4f}" for name, value in scores.items()))
