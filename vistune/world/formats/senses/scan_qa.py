"""ScanQA: a list of questions about scenes, each scene a PLY of coloured points at ScanNet's place and name."""

from __future__ import annotations

from pathlib import Path

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_ply


class ScanQa:
    """Writes `ScanQA_v1.0_test.json` (by split) and `scans/scene0001_00/scene0001_00_vh_clean_2.ply`, ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._part = folder, SPLIT_NAMES[split]
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one scene; its objects are all of the scene's."""
        scene = f"scene{number:04d}_00"
        save_ply(sample.media[0], self._folder / "scans" / scene / f"{scene}_vh_clean_2.ply")
        solids = sample.meta["truth"]
        self._records.append(
            {
                "answers": list(sample.answers),
                "object_ids": list(range(len(solids))),
                "object_names": [solid["name"] for solid in solids],
                "question": question_of(sample),
                "question_id": f"{self._part}-scene{number:04d}-0",
                "scene_id": scene,
            }
        )

    def write(self) -> None:
        """Write the questions."""
        write_json(self._folder / f"ScanQA_v1.0_{self._part}.json", self._records)
