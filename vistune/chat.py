"""A conversation about pictures and other media, with the regions of answers drawn and the media of answers kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from vistune.data.media.image import load_image
from vistune.data.media.keep import keep
from vistune.draw import draw_regions
from vistune.errors import InputError, TooLongError
from vistune.model.answering.answers import Answer
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn


class Answering(Protocol):
    """A model, here or behind a server."""

    def answer(
        self, samples: Sequence[Sample], max_new_tokens: int = 256, say: Callable[[str], None] | None = None, **options: Any
    ) -> list[Answer]:
        """Answers, told piece by piece as they come."""
        ...


class Conversation:
    """Questions and answers so far, about `image` (a path) or none, and about `further` media that are shown behind it.

    `say` is told each answer piece by piece while it is written, where the model can.
    """

    def __init__(self, model: Answering, image: str | None, max_new_tokens: int = 256, further: Sequence[Media] = ()) -> None:
        self.model, self.image, self.max_new_tokens = model, image, max_new_tokens
        self.further = tuple(further)
        self.say: Callable[[str], None] | None = None
        self.turns: tuple[Turn, ...] = ()
        self.dropped = 0
        self.options: dict[str, Any] = {}
        self.regions: tuple[Region, ...] = ()
        self.media: tuple[Media, ...] = ()
        self._picture: Image.Image | None = None if image is None else load_image(Media.file("image", image))

    def ask(self, question: str, region: Region | None = None) -> str:
        """The model's answer, given all that was said before: about `region` of the picture, if one is given.

        The oldest turns are left out where all is more than the model reads;
        `dropped` says how many turns this cost. Raises `InputError` when the question alone is too long.
        """
        self.dropped = 0
        while True:
            try:
                return self._answered(_about(self._sample(question), region))
            except TooLongError:
                if not self.turns:
                    raise
                self.turns = self._shown_again(self.turns[2:])
                self.dropped += 2

    def reset(self) -> None:
        """Forget all that was said; the picture stays."""
        self.turns, self.regions, self.media = (), (), ()

    def show(self, image: str | None) -> None:
        """Talk about another picture, or none, from the beginning. Raises `InputError` for one that cannot be opened."""
        picture = None if image is None else load_image(Media.file("image", image))
        self.image, self._picture = image, picture
        self.reset()

    def _shown_again(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """The picture in the first of the turns that are left."""
        if not turns or not self._media:
            return turns
        first, *rest = turns
        return (replace(first, parts=(*self._shown, *first.parts)), *rest)

    @property
    def _media(self) -> tuple[Media, ...]:
        return (*(() if self.image is None else (Media.file("image", self.image),)), *self.further)

    @property
    def _shown(self) -> tuple[Part, ...]:
        """All media, as the first question shows them."""
        places = [MediaRef(place) for place in range(len(self._media))]
        return (*places, Text("\n")) if places else ()

    def _sample(self, question: str) -> Sample:
        begun = () if self.turns else self._shown
        return Sample("chat", self._media, (*self.turns, Turn("user", (*begun, Text(question)))))

    def _answered(self, sample: Sample) -> str:
        (answer,) = self.model.answer([sample], self.max_new_tokens, self.say, **self.options)
        self.regions, self.media = answer.regions, answer.media
        self.turns = (*sample.turns, Turn("assistant", (Text(answer.text),)))
        return answer.text

    def keep(self, out: Path) -> list[Path]:
        """Write the media that the last answer made beside `out`, numbered; returns the files."""
        return [keep(medium, out.with_name(f"{out.stem}.{number}")) for number, medium in enumerate(self.media, 1)]

    def draw(self, out: Path | None) -> Path | None:
        """Draw the last answer's regions into a copy of the picture; None when there is nothing to draw."""
        if self._picture is None or self.image is None or not self.turns:
            return None
        if not self.regions:
            return None
        out = out or Path(self.image).with_suffix(".boxes.png")
        try:
            draw_regions(self._picture, self.regions).save(out)
        except (OSError, ValueError) as error:
            raise InputError(f"cannot write {out}: {' '.join(str(error).split())}") from error
        return out


def _about(sample: Sample, region: Region | None) -> Sample:
    """The sample with the region behind its last question."""
    if region is None:
        return sample
    *before, last = sample.turns
    return replace(sample, turns=(*before, replace(last, parts=(*last.parts, Text(" "), region))))
