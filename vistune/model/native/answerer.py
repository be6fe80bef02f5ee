"""A native model as evaluation sees it, straight from its directory or the hub, untuned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from vistune.files import sha256
from vistune.model.device import number_format, placed
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.model.weights.assets import locate
from vistune.sample import Sample

_DECIDES = ("*.json", "*.jinja", "*.safetensors", "*.model", "*.txt")


class NativeAnswerer:
    """Loads a model onto a device. Keeps to `vistune.evals.run.Answerer`."""

    def __init__(self, path: str, device: str = "auto", dtype: str = "auto") -> None:
        self.path = path
        self.model = placed(NativeModel(NativeSpec(native=path)).eval(), device, dtype)
        self._format = number_format(self.model)

    @cached_property
    def identity(self) -> str:
        """The hub id with its commit, or the directory's name and a hash over its files."""
        folder = Path(locate(self.path))
        if not folder.is_dir():
            return f"{self.path}@{self.model.native.model.config._commit_hash}{self._format}"
        # A set, since a file can match two patterns; sorted, since a folder has no order of its own.
        files = sorted({file for pattern in _DECIDES for file in folder.glob(pattern)})
        digest = hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()
        return f"{folder.resolve().name}@{digest[:16]}{self._format}"

    def rendered(self, sample: Sample) -> str:
        """The prompt as the processor reads it."""
        return self.model.prompt_text(sample)

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """Greedy answers unless `arguments` say otherwise."""
        return self.model.generate(samples, batch_size=len(samples), **arguments)
