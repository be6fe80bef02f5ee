"""GPT4Tools' records: an instruction with what was said and seen so far, and the lines that are due."""

from __future__ import annotations

from pathlib import Path

from vistune.files import write_json
from vistune.sample import Sample
from vistune.world.digits import Split

_FILES: dict[Split, str] = {
    "train": "gpt4tools_71k.json",
    "validation": "gpt4tools_val_seen.json",
    "test": "gpt4tools_val_seen.json",
}


class Gpt4Tools:
    """Writes `gpt4tools_71k.json`, or `gpt4tools_val_seen.json` for what is held out, under the names of the released files."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._path = folder / _FILES[split]
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One errand."""
        *before, due = (turn.text for turn in sample.turns)
        self._records.append({"id": number, "instruction": "\n".join(before), "input": "", "output": due})

    def write(self) -> None:
        """Write the records."""
        write_json(self._path, self._records)
