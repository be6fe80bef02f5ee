"""A model of this package that makes pictures, asked for one."""

from __future__ import annotations

from vistune.errors import InputError
from vistune.programs.eyes import Eyes
from vistune.sample import Media


class Checkpoint:
    """The painter `checkpoint`: a checkpoint's folder, and what it is told, with `{}` for the description."""

    def __init__(self, path: str, wish: str = "Paint {}.", max_new_tokens: int = 128) -> None:
        self._model, self._wish = Eyes(path, max_new_tokens), wish

    def paint(self, kind: str, description: str) -> Media:
        """See `Painter`. Raises `InputError` when the answer holds no medium of the kind."""
        answer = self._model.answer(self._wish.format(description))
        made = [medium for medium in answer.media if medium.kind == kind]
        if not made:
            raise InputError(f"{self._model.path} made no {kind} of {description[:80]!r}; it said {answer.text[:80]!r}")
        return made[0]
