"""Where a run comes from: versions, revision, machine, data."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import vistune
from vistune.data.manifest import manifest as data_manifest
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


def manifest(recipe: Recipe) -> dict[str, Any]:
    """What went into a run, as plain JSON: data files by content hash, generated data by kind and arguments."""
    stages = [{"stage": stage.name, **data_manifest(stage.data)} for stage in recipe.stages]
    return {
        "versions": versions(),
        "revision": revision(),
        "machine": platform.machine(),
        "seed": recipe.seed,
        "stages": stages,
    }
