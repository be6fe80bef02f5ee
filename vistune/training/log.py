"""The log of a stage: what each step did and how fast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vistune.training.work import Work


class Log:
    """One JSON line a step; lines of steps that are done again after a resume are dropped first."""

    def __init__(self, path: Path, first: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        self._file = path.open("w", encoding="utf-8")
        self._file.writelines(lines[:first])

    def add(
        self, step: int, steps: int, loss: float, norm: float, factor: float, work: Work, seconds: float, waited: float
    ) -> None:
        """Write the line of one step, which took `seconds` after `waited` seconds (of the whole run) for its data."""
        record: dict[str, Any] = {
            "step": step,
            "steps": steps,
            "loss": loss,
            "grad_norm": norm,
            "lr_factor": factor,
            "samples": work.samples,
            "tokens": work.tokens,
            "supervised": work.supervised,
            "seconds": round(seconds, 4),
            "tokens_per_second": round(work.tokens / seconds, 1),
            "supervised_per_second": round(work.supervised / seconds, 1),
            "samples_per_second": round(work.samples / seconds, 2),
            "loader_wait_seconds": round(waited, 3),
        }
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
