"""A conversation about one picture, with the regions of answers drawn into it and the media of answers kept."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from vistune.data.media.image import load_image
from vistune.draw import draw_regions
from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.model.vlm import VisionLanguageModel, question_sample
from vistune.sample import Media, Region, Text, Turn


class Conversation:
    """Questions and answers so far, about `image` (a path) or none."""

    def __init__(self, model: Model, image: str | None, max_new_tokens: int = 256) -> None:
        self.model, self.image, self.max_new_tokens = model, image, max_new_tokens
        self.turns: tuple[Turn, ...] = ()
        self.regions: tuple[Region, ...] = ()
        self.media: tuple[Media, ...] = ()
        self._picture: Image.Image | None = None if image is None else load_image(Media.file("image", image))

    def ask(self, question: str) -> str:
        """The model's answer, given all that was said before."""
        sample = question_sample(self.image, question, self.turns)
        if isinstance(self.model, VisionLanguageModel):
            answer = self.model.answer([sample], self.max_new_tokens)[0]
            text, self.regions, self.media = answer.text, answer.regions, answer.media
        else:
            text = self.model.generate([sample], self.max_new_tokens)[0]
            size = None if self._picture is None else self._picture.size
            self.regions = tuple(self.model.codec.decode(text, size))
        self.turns = (*sample.turns, Turn("assistant", (Text(text),)))
        return text

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
