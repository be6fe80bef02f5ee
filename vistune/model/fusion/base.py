"""The contract of fusion."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot, Slots


class Fusion(nn.Module):
    """How visual tokens reach the language model."""

    @abstractmethod
    def install(self, language_model: LanguageModel) -> None:
        """Make the weights the fusion needs and attach it to this instance through the wrapper's hooks. Called once."""

    def places(self, count: int) -> int:
        """How many places in the sequence a medium of `count` visual tokens takes."""
        return count

    @abstractmethod
    def prepare(self, text: Inputs, tokens: list[Tensor], slots: Slots) -> Inputs:
        """A row of text and the visual tokens `[K, H]` of each medium -> what the language model reads.

        Slots say where which medium belongs; there the row holds a placeholder's embedding.
        """


def shown(slots: Slots) -> list[Slot]:
    """The places of media that are looked at, in the order of the row."""
    return sorted((slot for kind in ("image", "video") for slot in slots.get(kind, [])), key=lambda slot: slot.start)
