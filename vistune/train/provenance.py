"""Where a run comes from: versions, revision, machine, data."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import vistune
from vistune.data.samples import Samples, parse
from vistune.files import sha256
from vistune.recipe import Recipe

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"vistune": vistune.__version__, "python": platform.python_version(), **found}


def revision() -> str | None:
    """The git revision of the source tree the package runs from, `+` behind it where files differ; None when installed."""
    root = Path(vistune.__file__).parent.parent
    try:
        head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "-C", str(root), "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if status.stdout.strip() else "")


def manifest(recipe: Recipe, sources: list[Samples]) -> dict[str, Any]:
    """What went into a run, as plain JSON: data files are hashed, generated data are named by kind and arguments."""
    stages = []
    for stage, samples in zip(recipe.stages, sources, strict=True):
        spec = parse(stage.data) if isinstance(stage.data, str) else dict(stage.data)
        entry: dict[str, Any] = {"stage": stage.name, "data": spec, "samples": len(samples)}
        path = spec.get("path")
        if isinstance(path, str) and Path(path).is_file():
            entry["sha256"] = sha256(path)
        stages.append(entry)
    return {
        "versions": versions(),
        "revision": revision(),
        "machine": platform.machine(),
        "seed": recipe.seed,
        "stages": stages,
    }
