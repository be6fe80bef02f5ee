"""vistune: general-purpose multimodal models by visual instruction tuning.

The public face, whose types stand in `__init__.pyi`;
names resolve on first use, so that `import vistune` imports neither torch nor transformers.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "read": "vistune.data.samples",
    "train": "vistune.training.run",
    "load": "vistune.model.answering.opening",
    "score": "vistune.evals.score",
    "Media": "vistune.sample",
    "MediaRef": "vistune.sample",
    "Region": "vistune.sample",
    "Sample": "vistune.sample",
    "Text": "vistune.sample",
    "Turn": "vistune.sample",
    "InputError": "vistune.errors",
    "Recipe": "vistune.recipe",
    "Stage": "vistune.recipe",
    "load_recipe": "vistune.recipe",
    "nano": "vistune.nano",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'vistune' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
