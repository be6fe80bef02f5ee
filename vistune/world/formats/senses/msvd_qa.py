"""MSVD-QA: a list of `{id, video_id, question, answer}` and films by number; ours are MP4, not AVI."""

from __future__ import annotations

from pathlib import Path

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_video


class MsvdQa:
    """Writes `test_qa.json` (by split) and `video/vid1.mp4`, ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._path = folder, folder / f"{SPLIT_NAMES[split]}_qa.json"
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one film."""
        save_video(sample.media[0], self._folder / "video" / f"vid{number}.mp4")
        record = {"answer": sample.answers[0], "id": number, "question": question_of(sample), "video_id": number}
        self._records.append(record)

    def write(self) -> None:
        """Write the questions."""
        write_json(self._path, self._records)
