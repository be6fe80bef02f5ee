"""InstructPix2Pix's columns: original and edited picture, what each shows, and the instruction between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.files import write_jsonl
from vistune.sample import Sample
from vistune.world.digits import Split
from vistune.world.expressions import indefinite, listing
from vistune.world.formats.senses.sense_format import SPLIT_NAMES, question_of, save_picture


class InstructPix2Pix:
    """Writes `edits_test.jsonl` (by split) and `images/1_0.png` (before), `images/1_1.png` (after), ..."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._path = folder, folder / f"edits_{SPLIT_NAMES[split]}.jsonl"
        self._records: list[dict[str, object]] = []

    def add(self, number: int, sample: Sample) -> None:
        """One change."""
        names = [f"images/{number}_{index}.png" for index in range(2)]
        for medium, name in zip(sample.media, names, strict=True):
            save_picture(medium, self._folder / name)
        _, before, after = sample.meta["truth"]
        self._records.append(
            {
                "original_image": names[0],
                "original_prompt": _caption(before["before"]),
                "edit_prompt": question_of(sample),
                "edited_prompt": _caption(after["after"]),
                "edited_image": names[1],
            }
        )

    def write(self) -> None:
        """Write the records."""
        write_jsonl(self._path, self._records)


def _caption(things: list[dict[str, Any]]) -> str:
    names = [f'word "{thing["name"]}"' if thing["kind"] == "word" else str(thing["name"]) for thing in things]
    return listing([indefinite(f"{thing['colour']} {name}") for thing, name in zip(things, names, strict=True)])
