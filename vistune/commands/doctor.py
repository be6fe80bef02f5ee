"""`vistune doctor`: what is installed, where it computes, and the known traps; a line each."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()

EXTRAS = {
    "captions": "pycocoevalcap",
    "wordnet": "nltk",
    "coco": "faster_coco_eval",
    "datasets": "datasets",
    "build": "httpx",
    "ray": "ray",
    "serve": "starlette",
    "json": "llguidance",
    "video": "av",
    "audio": "soundfile",
    "paint": "diffusers",
    "ocr": "rapidocr",
    "native": "num2words",
    "qlora": "bitsandbytes",
    "docs": "mkdocs",
    "tensorboard": "tensorboard",
}
NEEDED = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "numpy", "pillow")


@app.command()
def doctor(hub: Annotated[bool, typer.Option("--hub", help="Also ask whether the hub can be reached.")] = False) -> None:
    """Say what is installed and what is wrong with it."""
    wrong = 0
    for good, line in [*_versions(), *_devices(), *_extras(), *_traps(), *_room(), *(_hub() if hub else [])]:
        wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {line}")
    print(f"{wrong} wrong" if wrong else "nothing is wrong")
    if wrong:
        raise typer.Exit(1)


def _versions() -> list[tuple[bool, str]]:
    import importlib.metadata
    import platform

    import vistune

    found = [(True, f"vistune {vistune.__version__}, Python {platform.python_version()}, {platform.machine()}")]
    for name in NEEDED:
        try:
            found.append((True, f"{name} {importlib.metadata.version(name)}"))
        except importlib.metadata.PackageNotFoundError:
            found.append((False, f"{name} is not installed: pip install vistune"))
    return found


def _devices() -> list[tuple[bool, str]]:
    import torch

    built = f"torch was built for {f'CUDA {torch.version.cuda}' if torch.version.cuda else 'the CPU'}"
    lines = [(True, f"{built}; {torch.get_num_threads()} threads")]
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        of = torch.cuda.get_device_properties(number)
        half = "computes in bfloat16" if torch.cuda.is_bf16_supported() else "has no bfloat16"
        lines.append((True, f"cuda:{number} {of.name}, {of.total_memory / 2**30:.0f} GiB, {half}"))
    if torch.version.cuda and not torch.cuda.is_available():
        lines.append(
            (False, "torch was built for CUDA, but no GPU can be used: is the driver there, and CUDA_VISIBLE_DEVICES right?")
        )
    return lines


def _extras() -> list[tuple[bool, str]]:
    from importlib.util import find_spec

    there = [name for name, module in EXTRAS.items() if find_spec(module) is not None]
    missing = [name for name in EXTRAS if name not in there]
    lines = [(True, f"extras: {', '.join(there) or 'none'}")]
    if missing:
        lines.append(
            (True, f"extras not installed: {', '.join(missing)}  (pip install 'vistune[NAME]' where a command asks for one)")
        )
    return lines


def _traps() -> list[tuple[bool, str]]:
    """What is known to break: a torchvision of another build, and a module of ours in the current folder."""
    import importlib.metadata
    from pathlib import Path

    import torch

    import vistune

    lines: list[tuple[bool, str]] = []
    try:
        vision = importlib.metadata.version("torchvision")
    except importlib.metadata.PackageNotFoundError:
        vision = ""
    if vision:
        apart = ("+cpu" in vision) != (torch.version.cuda is None) and "+" in vision
        lines.append(
            (
                not apart,
                f"torchvision {vision} beside torch {torch.__version__}"
                + (": of another build, uninstall it" if apart else ""),
            )
        )
    here = Path.cwd() / "vistune"
    if here.is_dir() and Path(vistune.__file__).parent.resolve() != here.resolve():
        lines.append((False, f"{here} lies in the current folder and may hide the installed package: go elsewhere"))
    return lines


def _room() -> list[tuple[bool, str]]:
    import os
    import shutil

    free = shutil.disk_usage(".").free / 2**30
    lines = [(free >= 2, f"{free:,.1f} GiB free here" + ("" if free >= 2 else ": a run needs more for its states"))]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        lines.append((True, f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:,.1f} GiB of main memory"))
    return lines


def _hub() -> list[tuple[bool, str]]:
    import urllib.request

    from huggingface_hub import constants

    place = constants.ENDPOINT
    try:
        with urllib.request.urlopen(place, timeout=5) as answer:
            return [(True, f"{place} answers ({answer.status})")]
    except OSError as error:
        return [(False, f"{place} cannot be reached ({error}): give models and data by their folders")]
