"""The contract of fusion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from torch import Tensor, nn

from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import Seen
from vistune.model.part import Part
from vistune.prompt.render import Slot, Slots
from vistune.sample import MEDIA_KINDS

Tokens: TypeAlias = Mapping[str, Sequence[Tensor]]
"""Tokens `[K, H]` of the things of a row, by kind, in the order in which slots count them."""


@dataclass(frozen=True, slots=True)
class Product:
    """A linear layer that a fusion adds, and what it goes over.

    That are all `tokens` of a row, its `visual` places, or the `context` that is looked at beside it. `queries` are read off
    the hidden states, so that their gradient goes on to what made these.
    """

    layer: nn.Linear
    over: Literal["tokens", "visual", "context"]
    queries: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """Work that a fusion adds to each step: products, and attention of all tokens to the context by queries `attends` wide.

    `before` is the layer of the language model in front of which it stands; None where it lies inside of layers.
    """

    products: tuple[Product, ...]
    before: int | None = None
    attends: int = 0


class Fusion(Part):
    """How the tokens of media reach the language model.

    A fusion brings in media of the kinds it `carries`; tokens of regions and queries of heads are spliced into the row before.
    Most fusions run the language model once. One that needs more passes (a request to the picture and its answer, LMEye) runs
    the earlier ones in `settle`, and says with `repeats` that the prefixes of samples cannot be shared. One that `looks` is
    given the features of media in `settle`, and a part of the model to look through by `meet` (VPG-C).
    """

    carries: ClassVar[tuple[str, ...]] = MEDIA_KINDS
    repeats: ClassVar[bool] = False
    looks: ClassVar[bool] = False

    def reads(self, width: int) -> int:
        """How wide the tokens of media are to be, where the language model is `width` wide."""
        return width

    def meet(self, parts: Mapping[str, nn.Module]) -> None:
        """See the parts of the model by name, before `install`; what is kept of them must not become a part of this module."""

    @abstractmethod
    def install(self, language_model: LanguageModel) -> None:
        """Make the weights the fusion needs and attach it to this instance through the wrapper's hooks. Called once."""

    def places(self, count: int) -> int:
        """How many places in the sequence a medium of `count` tokens takes."""
        return count

    @abstractmethod
    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """A row of text and the tokens of each medium -> what the language model reads.

        Slots say where which medium belongs; there the row holds a placeholder's embedding.
        """

    def added(self) -> Sequence[Added]:
        """The work that the fusion adds to the language model's, in the order of its layers."""
        return ()

    def replaces(self, layer: int, name: str) -> bool:
        """Whether visual tokens go through something of the fusion's instead of the module `name` of a layer."""
        return False

    def begins_gradient(self, media: bool) -> bool:
        """Whether a gradient must go back to the row that the language model reads; `media`: to the tokens of media it must."""
        return media

    def settle(self, language_model: LanguageModel, inputs: Inputs, tokens: Tokens, slots: Slots, seen: Seen) -> Inputs:
        """What the last pass reads, after passes of this fusion's own: what `prepare` gave, where there are none.

        `tokens` and `slots` are those of `prepare`, `seen` are the features of the media.
        """
        return inputs


def placed(tokens: Tokens, slots: Slots) -> tuple[list[Slot], list[Tensor]]:
    """The slots of all kinds of `tokens` in the order of the row, and what belongs into each."""
    pairs = [(slot, tokens[kind][slot.which]) for kind in tokens for slot in slots.get(kind, [])]
    # By place in the row, whatever the kind: hooks number the things of a row from left to right.
    pairs.sort(key=lambda pair: pair[0].start)
    return [slot for slot, _ in pairs], [values for _, values in pairs]
