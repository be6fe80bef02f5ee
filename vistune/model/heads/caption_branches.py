"""Pictures in answers by way of a caption that somebody paints: TextBind (arXiv 2309.08637, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from vistune.model.features import Prepared, Thing
from vistune.model.heads._captions import caption_of
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Aside, Shown, Stretch, Words
from vistune.sample import Part, Produce, Sample

START, END = "<caption>", "</caption>"


class CaptionBranches(Head):
    """Where an answer holds a picture, the model says `<caption>`; the caption branches off there, and the picture follows.

    The picture stands in the answer as it would in a question, so that later words see it and not its caption. The caption is
    taught aside, behind what stands before the picture. It has no weights: painting is left to a painter outside the model.
    """

    makes = ("produce_image",)
    tokens = (START, END)
    losses: Mapping[str, float] = {}

    def __init__(self) -> None:
        super().__init__()

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The picture, in whose place the model says `<caption>`; aside, the caption to its end."""
        assert isinstance(part, Produce)
        caption = Words(f"{caption_of(part, sample)}{END}")
        return [Shown(part.index, says=START), Aside((Words(START, said=False), caption))]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """Never asked: the picture is prepared as one that is shown."""
        raise TypeError("a picture with a caption that branches off is shown, and has no target of its own")

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """None beside that of the words."""
        return {}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Nothing is made of states: `captions_in` gives the captions of an answer for a painter."""
        return []


def captions_in(answer: str) -> list[str]:
    """The captions that an answer asks a painter for, in order."""
    return [piece.split(END)[0].strip() for piece in answer.split(START)[1:] if END in piece]
