"""`classify`: which of some names fits a picture best, by a dual encoder."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.data.media.image import load_image
from vistune.programs.likeness import Likeness
from vistune.programs.tool import Image, ToolPart


class Classify(ToolPart):
    """The likeliest names with their probabilities. `template` puts a name to the encoder, `count` names are told."""

    def __init__(
        self,
        names: Sequence[str],
        encoder: str = "builtin:clip",
        template: str = "a {}",
        count: int = 3,
        name: str = "Classify Photo",
    ) -> None:
        self.name, self.use = name, "Says which of some classes a picture is of."
        self._names, self._likeness, self._template, self._count = tuple(names), Likeness(encoder), template, count

    def __call__(self, image: Image) -> str:
        """The names, likeliest first."""
        texts = [self._template.format(name) for name in self._names]
        shares = self._likeness.scores([load_image(image)], texts)[0].softmax(dim=-1)
        best = shares.argsort(descending=True, stable=True)[: self._count].tolist()
        return ", ".join(f"{self._names[index]} ({100 * float(shares[index]):.0f} %)" for index in best)
