"""A checkpoint as evaluation sees it: its identity, its prompts, its answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from vistune.files import sha256
from vistune.model.answering.opening import load
from vistune.model.answering.ranking import likeliest
from vistune.model.device import number_format
from vistune.model.weights.checkpoint import CONFIG, WEIGHTS, checkpoint_of
from vistune.sample import Sample


class CheckpointModel:
    """Loads a checkpoint folder. Keeps to `vistune.evals.run.Answerer`."""

    def __init__(self, folder: str | Path, device: str = "auto", dtype: str = "auto") -> None:
        self.folder = checkpoint_of(folder)
        self.model = load(self.folder, device=device, dtype=dtype)
        self._format = number_format(self.model)

    @cached_property
    def identity(self) -> str:
        """The folder's name and a hash over its spec and weights; the number format, where it is not float32."""
        # Predictions are resumed by this identity: a checkpoint that was trained on in the same folder is another model.
        digest = hashlib.sha256("".join(sha256(self.folder / name) for name in (CONFIG, WEIGHTS)).encode()).hexdigest()
        return f"{self.folder.resolve().name}@{digest[:16]}{self._format}"

    def rendered(self, sample: Sample) -> str:
        """The prompt as the model reads it."""
        return self.model.prompt_text(sample)

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """Greedy answers unless `arguments` say otherwise; with `options` ("sum" or "mean") the likeliest choices' letters."""
        ranking = arguments.get("options")
        if ranking is not None:
            return [likeliest(self.model, sample, ranking) for sample in samples]
        return self.model.generate(samples, batch_size=len(samples), **arguments)
