"""AudioCaps' captions (`audiocap_id,youtube_id,start_time,caption`) and Clotho-AQA's questions, over the same WAV files."""

from __future__ import annotations

from pathlib import Path

from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_bytes, write_csv
from vistune.world.sounds.phrases import transcript
from vistune.world.sounds.sound import make_sound


class AudioCaps:
    """Writes `dataset/test.csv`, `clotho_aqa_test.csv` (by split) and `audio/sound1.wav`, ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._split = folder, split
        self._captions: list[tuple[object, ...]] = []
        self._questions: list[tuple[object, ...]] = []

    def add(self, number: int, sample: Sample) -> None:
        """A caption of what is heard, and one question about it."""
        name = f"sound{number}"
        save_bytes(sample.media[0], self._folder / "audio" / f"{name}.wav")
        sound = make_sound(sample.meta["scenes"][0], self._split)
        self._captions.append((number, name, 0, transcript(sound)))
        self._questions.append((f"{name}.wav", question_of(sample), sample.answers[0], "yes"))

    def write(self) -> None:
        """Write both files."""
        part = SPLIT_NAMES[self._split]
        columns = ("audiocap_id", "youtube_id", "start_time", "caption")
        write_csv(self._folder / "dataset" / f"{part}.csv", columns, self._captions)
        columns = ("file_name", "QuestionText", "answer", "confidence")
        write_csv(self._folder / f"clotho_aqa_{part}.csv", columns, self._questions)
