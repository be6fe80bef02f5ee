"""A native model as evaluation sees it, straight from its directory or the hub, untuned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from vistune.files import sha256
from vistune.model.device import number_format, placed
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config
from vistune.sample import Sample

_DECIDES = ("*.json", "*.jinja", "*.safetensors", "*.model", "*.txt")


class NativeAnswerer:
    """Loads a model onto a device. Keeps to `vistune.evals.run.Answerer`."""

    def __init__(self, spec: NativeSpec, device: str = "auto", dtype: str = "auto") -> None:
        self.spec = spec
        self.model = placed(NativeModel(spec).eval(), device, dtype)

    @cached_property
    def identity(self) -> str:
        """See `identity_of`."""
        return identity_of(self.spec) + number_format(self.model)

    def rendered(self, sample: Sample) -> str:
        """The prompt as the processor reads it."""
        return self.model.prompt_text(sample)

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """Greedy answers unless `arguments` say otherwise."""
        return self.model.generate(samples, batch_size=len(samples), **arguments)


def identity_of(spec: NativeSpec) -> str:
    """The hub id with its commit, or the directory's name and a hash over its files and over whatever else the spec sets."""
    folder = Path(locate(spec.path))
    settings = {name: value for name, value in spec.to_json().items() if name not in ("native", "max_length")}
    plain = {name: value for name, value in NativeSpec(native="").to_json().items() if name in settings}
    told = "" if settings == plain else json.dumps(settings, sort_keys=True)
    if not folder.is_dir():
        config = read_config(spec.path, str(folder), spec.revision)
        return f"{spec.path}@{config._commit_hash}" + (f"+{hashlib.sha256(told.encode()).hexdigest()[:8]}" if told else "")
    # A set, since a file can match two patterns; sorted, since a folder has no order of its own.
    files = sorted({file for pattern in _DECIDES for file in folder.glob(pattern)})
    digest = hashlib.sha256(("".join(f"{file.name} {sha256(file)}\n" for file in files) + told).encode()).hexdigest()
    return f"{folder.resolve().name}@{digest[:16]}"
