"""The words that say what a produced medium shows."""

from __future__ import annotations

from vistune.errors import InputError
from vistune.sample import Produce, Sample


def caption_of(part: Produce, sample: Sample) -> str:
    """The caption of a medium that an answer is to make: of `meta["captions"]`, else the answer's words, else the question's.

    `captions` has one text for each of the sample's media, in their order. Raises `InputError` where an answer's medium has
    none of these.
    """
    captions = sample.meta.get("captions")
    if isinstance(captions, list | tuple) and part.index < len(captions) and isinstance(captions[part.index], str):
        said = [captions[part.index]]
    else:
        # By identity: an answer may hold two equal artefacts, and each has the words of its own turn.
        holding = (number for number, turn in enumerate(sample.turns) if any(part is other for other in turn.parts))
        place = next(holding, None)
        if place is None:  # in no answer: an example of how one is written
            return ""
        said = [sample.turns[place].text, *(turn.text for turn in reversed(sample.turns[:place]) if turn.role == "user")]
    caption = next((text.strip() for text in said if text.strip()), "")
    if not caption:
        raise InputError(f"{sample.where}: medium {part.index + 1} is to be made, but nothing says what it shows")
    return caption
