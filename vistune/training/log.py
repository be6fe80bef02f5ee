"""The log of a stage: losses, speed and utilisation of the device, step by step."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from vistune.files import atomic_open
from vistune.model.language.causal import LanguageModel
from vistune.training.kinds import of_parts
from vistune.training.planning.flops import FlopModel, Load
from vistune.training.planning.peaks import peak
from vistune.training.steps.work import Work
from vistune.training.tracking import Track, untracked


class Meter:
    """Model FLOPs utilisation of a device by a model whose trained parameters are chosen.

    `share` is None where the device's peak is not known, and for models whose operations are not counted: those not made of
    parts, encoder-decoders, and models cut over processes.
    """

    def __init__(self, model: nn.Module, precision: Literal["fp32", "bf16"], sharded: bool) -> None:
        parts = of_parts(model)
        counts = parts is not None and type(parts.llm) is LanguageModel and not sharded
        self._flops = FlopModel(parts) if counts and parts is not None else None
        self._peak = None if parts is None else peak(parts.device, precision)

    def share(self, work: Work[Any], seconds: float) -> float | None:
        """Operations of this process's batches a second, over the peak."""
        if self._flops is None or self._peak is None:
            return None
        model = self._flops.model
        parts = self._flops.step(Load.of(batch, model) for batch in work.batches)
        return sum(part.total for part in parts.values()) / seconds / self._peak


class Log:
    """One JSON line a step; lines of steps that are done again after a resume are dropped first."""

    def __init__(self, path: Path, first: int, meter: Meter, track: Track = untracked) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        with atomic_open(path) as kept:  # a kill here must not cost the log of what is done
            # A state may be older than the log's end: steps behind it are done again, and their lines would stand there
            # twice.
            kept.writelines(lines[:first])
        self._file = path.open("a", encoding="utf-8")
        self._meter, self._track, self._stage = meter, track, path.stem
        self._waited = 0.0
        self._dropped = (0, 0)

    def add(
        self,
        step: int,
        steps: int,
        loss: float,
        norm: float,
        factor: float,
        work: Work[Any],
        seconds: float,
        waited: float,
        noted: Mapping[str, float] | None = None,
    ) -> None:
        """Write the line of one step, which took `seconds` after `waited` seconds (of the whole run) for its data.

        `noted` is what an objective says beside its loss.

        Rows are packed, so every token that is computed is one of a sample and padding is none.
        """
        self._dropped = (self._dropped[0] + work.dropped_turns, self._dropped[1] + work.dropped_media)
        wait, self._waited = waited - self._waited, waited
        share = self._meter.share(work, seconds)
        record: dict[str, Any] = {
            "step": step,
            "steps": steps,
            "loss": loss,
            "grad_norm": norm,
            "lr_factor": factor,
            "samples": work.samples,
            "tokens": work.tokens,
            "supervised": work.supervised,
            "dropped_turns": work.dropped_turns,
            "dropped_media": work.dropped_media,
            "padding_percent": 0.0,
            "seconds": round(seconds, 4),
            "tokens_per_second": round(work.tokens / seconds, 1),
            "supervised_per_second": round(work.supervised / seconds, 1),
            "samples_per_second": round(work.samples / seconds, 2),
            "loader_wait_seconds": round(waited, 3),
            "loader_wait_percent": round(100 * wait / (seconds + wait), 1),
            "memory_mb": round(memory() / 1e6, 1),
            "mfu": None if share is None else round(share, 4),
            **(noted or {}),
        }
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        self._track(f"train/{self._stage}", step, record)

    @property
    def dropped(self) -> str | None:
        """What was left out of samples that are too long, as a person would say it; None where nothing was."""
        turns, media = self._dropped
        shown = f" with {media} media" if media else ""
        return f"{turns} turns{shown} beyond max_length were left out, see dropped_turns in the log" if turns else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def memory() -> int:
    """Bytes this process has held at most: of the graphics processor where there is one, else of main memory."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    # Linux counts in kilobytes, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
