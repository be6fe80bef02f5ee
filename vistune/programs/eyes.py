"""A model of this package as a tool sees it: one question about media, one answer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vistune.sample import Media, MediaRef, Sample, Text, Turn

if TYPE_CHECKING:
    from vistune.model.answering.answers import Answer
    from vistune.model.vlm import VisionLanguageModel


class Eyes:
    """A checkpoint's folder; read when it is first asked. Raises `InputError` for what is no checkpoint of parts."""

    def __init__(self, path: str, max_new_tokens: int = 128) -> None:
        self.path, self._longest = path, max_new_tokens

    @cached_property
    def _model(self) -> VisionLanguageModel:
        from vistune.errors import InputError
        from vistune.model.answering.opening import load
        from vistune.model.vlm import VisionLanguageModel

        model = load(self.path)
        if not isinstance(model, VisionLanguageModel):
            raise InputError(f"{self.path} is not made of this package's parts: a tool needs one that is")
        return model

    def answer(self, medium: Media, question: str) -> Answer:
        """The model's answer, with its regions and media."""
        sample = Sample("tool", (medium,), (Turn("user", (MediaRef(0), Text(question))),))
        return self._model.answer([sample], self._longest)[0]
