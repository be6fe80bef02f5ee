"""DocVQA: `{data: [{questionId, question, image, docId, answers, question_types}]}` over pictures of pages."""

from __future__ import annotations

from pathlib import Path

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_picture

_TYPES = {
    "page_heading": "layout",
    "page_paragraph": "running text",
    "page_table": "table/list",
    "page_chart": "figure/diagram",
    "page_form": "form",
    "page_tick": "Yes/No",
}


class DocVqa:
    """Writes `val_v1.0_withQT.json` (by split) and `documents/page1.png`, ...; questions answered with a box are left out."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._part = folder, SPLIT_NAMES[split]
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one page."""
        if not sample.answers:
            return
        image = f"documents/page{number}.png"
        save_picture(sample.media[0], self._folder / image)
        self._records.append(
            {
                "questionId": number,
                "question": question_of(sample),
                "question_types": [_TYPES[sample.meta["task"]]],
                "image": image,
                "docId": number,
                "answers": list(sample.answers),
                "data_split": self._part,
            }
        )

    def write(self) -> None:
        """Write the questions."""
        head = {"dataset_name": "world", "dataset_version": "1.0", "dataset_split": self._part}
        write_json(self._folder / f"{self._part}_v1.0_withQT.json", {**head, "data": self._records})
