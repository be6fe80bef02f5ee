"""TGIF-QA: a table of `gif_name, question, answer, vid_id, key`, divided by tabs, and animated GIFs by name."""

from __future__ import annotations

from pathlib import Path

from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import question_of, save_gif, write_csv


class TgifQa:
    """Writes `dataset/Test_frameqa_question.csv` (by split) and `gifs/film1.gif`, ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._split = folder, split
        self._rows: list[tuple[object, ...]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One question about one film."""
        save_gif(sample.media[0], self._folder / "gifs" / f"film{number}.gif")
        self._rows.append((f"film{number}", question_of(sample), sample.answers[0], f"ID{number}", number))

    def write(self) -> None:
        """Write the questions."""
        path = self._folder / "dataset" / f"{self._split.capitalize()}_frameqa_question.csv"
        write_csv(path, ("gif_name", "question", "answer", "vid_id", "key"), self._rows, "\t")
