"""A model of this package as tools see it: one question, media or none, one answer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vistune.sample import Media, MediaRef, Part, Sample, Text, Turn

if TYPE_CHECKING:
    from vistune.model.answering.answers import Answer
    from vistune.model.answering.asked import Asked


class Eyes:
    """A checkpoint's folder; read when it is first asked. Raises `InputError` for what is no checkpoint."""

    def __init__(self, path: str, max_new_tokens: int = 128) -> None:
        self.path, self._longest = path, max_new_tokens

    @cached_property
    def _model(self) -> Asked:
        from vistune.model.answering.opening import load

        return load(self.path)

    def answer(self, question: str, *media: Media) -> Answer:
        """The model's answer to a question behind its media, with its regions and what it makes."""
        parts: tuple[Part, ...] = (*(MediaRef(index) for index in range(len(media))), Text(question))
        return self._model.answer([Sample("tool", media, (Turn("user", parts),))], self._longest)[0]
