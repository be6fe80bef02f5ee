"""A model of this package that makes pictures, asked for one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vistune.errors import InputError
from vistune.sample import Media, Sample, Text, Turn

if TYPE_CHECKING:
    from vistune.model.vlm import VisionLanguageModel


class Checkpoint:
    """The painter `checkpoint`: a checkpoint's folder, and what it is told, with `{}` for the description."""

    def __init__(self, path: str, wish: str = "Paint {}.", max_new_tokens: int = 128) -> None:
        self._path, self._wish, self._longest = path, wish, max_new_tokens

    @cached_property
    def _model(self) -> VisionLanguageModel:
        from vistune.model.answering.opening import load
        from vistune.model.vlm import VisionLanguageModel

        model = load(self._path)
        if not isinstance(model, VisionLanguageModel):
            raise InputError(f"{self._path} is not made of this package's parts, so it paints nothing")
        return model

    def paint(self, kind: str, description: str) -> Media:
        """See `Painter`. Raises `InputError` when the answer holds no medium of the kind."""
        sample = Sample("paint", (), (Turn("user", (Text(self._wish.format(description)),)),))
        answer = self._model.answer([sample], self._longest)[0]
        made = [medium for medium in answer.media if medium.kind == kind]
        if not made:
            raise InputError(f"{self._path} made no {kind} of {description[:80]!r}; it said {answer.text[:80]!r}")
        return made[0]
