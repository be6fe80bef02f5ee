"""PointLLM: conversations with `<point>` about clouds `[N, 6]` in NPY files named by object, and the same as NPZ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import question_of


class PointLlm:
    """Writes `anno_data/PointLLM_brief_description.json` and `objaverse_data/cloud1_1024.npy`, `.npz`, ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder = folder
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one cloud as a conversation."""
        points = sample.media[0].data
        assert isinstance(points, np.ndarray)
        path = self._folder / "objaverse_data" / f"cloud{number}_{len(points)}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, points)
        np.savez_compressed(path.with_suffix(".npz"), points=points)
        turns = [
            {"from": "human", "value": f"<point>\n{question_of(sample)}"},
            {"from": "gpt", "value": sample.answers[0]},
        ]
        record: dict[str, object] = {
            "object_id": f"cloud{number}",
            "conversation_type": "brief_description",
            "conversations": turns,
        }
        self._records.append(record)

    def write(self) -> None:
        """Write the conversations."""
        path = self._folder / "anno_data" / "PointLLM_brief_description.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self._records)
