"""ChartQA: a list of `{imgname, query, label}` over pictures; here of the pages that were asked about their chart."""

from __future__ import annotations

from pathlib import Path

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_picture


class ChartQa:
    """Writes `ChartQA Dataset/test/test_augmented.json` (by split) and its pictures in `png`."""

    def __init__(self, folder: Path, split: Split) -> None:
        part = SPLIT_NAMES[split]
        self._folder = folder / "ChartQA Dataset" / part
        self._path = self._folder / f"{part}_augmented.json"
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one chart; samples of other tasks are left out."""
        if sample.meta["task"] != "page_chart":
            return
        save_picture(sample.media[0], self._folder / "png" / f"page{number}.png")
        name = f"page{number}.png"
        self._records.append({"imgname": name, "query": question_of(sample), "label": sample.answers[0]})

    def write(self) -> None:
        """Write the questions."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._path, self._records)
