"""`Finding`: a fault or peculiarity of a sample; `REASONS`: all kinds of findings, and whether each is a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vistune.sample import Sample

PROBLEMS = {
    "unreadable": "the record cannot become a sample",
    "duplicate_id": "another sample has the same id",
    "no_turns": "there is nothing to train on",
    "turn_order": "turns do not alternate, or the assistant speaks first or not last",
    "empty_question": "a user turn without text, media or region",
    "empty_answer": "an assistant turn without text, media or region",
    "placeholders": "a medium that no turn shows, or that is shown twice",
    "box": "a region is empty",
    "declared_size": "the record gives an image another size than its file has: its boxes lie elsewhere",
    "missing_file": "the medium's file is not there",
    "undecodable": "the medium cannot be decoded: damaged, truncated, not of its kind",
    "too_large": "a picture of more pixels than are decoded",
    "refused": "the model of the recipe cannot read it",
    "too_long": "does not fit the token budget",
    "duplicate": "the same media and turns as another sample",
    "leak": "a picture that the held-out data has too",
}
NOTES = {
    "one_colour": "a picture of a single colour: perhaps a stand-in for a missing one",
    "exif_rotated": "stored sideways; decoding turns it upright, boxes must fit the upright picture",
    "grayscale": "decoded to three equal channels",
    "alpha": "has transparency, laid over white",
    "cmyk": "print colours, converted",
    "palette": "a palette image, converted",
    "sixteen_bit": "16 bits a channel, scaled to 8",
    "animated": "has several frames, of which the first is taken",
    "near_duplicate": "nearly the same picture as another one",
    "odd_marks": "a byte order mark or a carriage return in a text, taught as it stands",
    "near_leak": "nearly the same picture as one of the held-out data",
}
REASONS = {**PROBLEMS, **NOTES}


@dataclass(frozen=True, slots=True)
class Finding:
    """`reason` is one of `REASONS`; `index` the sample's place in the data, `detail` one sentence that names it."""

    index: int
    reason: str
    detail: str

    @property
    def problem(self) -> bool:
        """Does the data fail because of it? Notes are for information."""
        return self.reason in PROBLEMS


class Budget(Protocol):
    """How long a sample may be for a model. Models know it; the check only asks."""

    def fault(self, sample: Sample) -> tuple[str, str] | None:
        """`(reason, detail)` where the sample does not fit or the model refuses it."""
        ...
