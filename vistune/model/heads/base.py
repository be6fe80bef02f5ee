"""The contract of heads: hidden states -> regions and media that an answer holds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor, nn

from vistune.model.features import Prepared, Thing
from vistune.model.modalities.base import Seen
from vistune.model.part import Part as ModelPart
from vistune.prompt.render import Slot
from vistune.prompt.writer import Stretch
from vistune.sample import Media, Part, Region, Sample

Made: TypeAlias = Region | Media


@dataclass(frozen=True, slots=True)
class Loss:
    """A sum, and the name of what it is counted in: the whole step's count over all processes divides it (`Batch.counts`).

    `text` counts supervised tokens, `produce_mask` the masks to make. A sum may carry the published factors of its terms.
    """

    sum: Tensor
    of: str = "text"


class Head(ModelPart):
    """Makes regions or media of the kinds it `makes`, e.g. `produce_mask`. It is the `Writer` of what it makes.

    `tokens` are special tokens of its own. `state` says at which token of a slot it reads: the state that *predicts* each token
    (LISA's `[SEG]`), or that of the token *itself* (NExT-GPT's signal tokens, the queries of DreamLLM), to which the embedding
    of the token is added where it is `embedded`. A head that writes `Places` sets `fills` and gives their embeddings with
    `fill`. One that `spells` gives the words of its run of triggers once the media are on the device (SEED's codes).
    `losses` names its terms and their published weights; a stage's `losses` replace them. `opens` is the token after which an
    answer waits for `Places` to be filled before it goes on; None for heads of triggers and words.
    The builder gives `width` (of the language model) and `seen_width` (of the image features).
    """

    makes: tuple[str, ...]
    state: ClassVar[Literal["predicting", "own"]] = "predicting"
    fills: ClassVar[bool] = False
    spells: ClassVar[bool] = False
    embedded: ClassVar[bool] = False
    tokens: tuple[str, ...] = ()
    losses: Mapping[str, float]
    opens: str | None = None

    @abstractmethod
    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """What stands in the answer for an artefact."""

    @abstractmethod
    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """The target of the loss, on the CPU."""

    @abstractmethod
    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """Named losses. `hidden` has of each thing the states `[K, H]` at its slot, read as `state` says."""

    @abstractmethod
    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Of each thing, whose `prepared` is None, what the states at its slot say it is."""

    def view(self, medium: Media, where: str = "") -> Prepared | None:
        """The medium that a thing lies on, as an encoder of the head's own wants to see it; None where the head has none."""
        return None

    def fill(self, count: int) -> Tensor:
        """The embeddings `[count, H]` of the head's own `Places`."""
        raise TypeError(f"{type(self).__name__} writes places but does not say what stands in them")

    def made_of_words(self, answer: str) -> list[Made]:
        """What the words of an answer spell out, of a head that writes words."""
        return []

    def spell(self, things: Sequence[Thing]) -> list[list[str]]:
        """The words of each thing: special tokens, as many as its slot has places."""
        raise TypeError(f"{type(self).__name__} writes words that it does not spell")


class Heads(nn.ModuleDict, ModelPart):
    """All heads of a model, by name: the part `heads`."""


def states_at(hidden: Tensor, start: int, length: int, state: Literal["predicting", "own"]) -> Tensor:
    """The states `[length, H]` of a slot of a packed row `hidden [T, H]`."""
    # The state one place earlier predicts the token. A slot is never first in a sample, since a question stands before an
    # answer.
    first = start - 1 if state == "predicting" else start
    return hidden[first : first + length]


def states_of(hidden: Tensor, embeds: Tensor, slots: Sequence[Slot], head: Head) -> list[Tensor]:
    """The states `[K, H]` of each thing of a packed row, `hidden` and `embeds [T, H]`: those of all its slots, in order."""
    read = hidden + embeds if head.embedded else hidden
    found: dict[int, list[Tensor]] = {}
    for slot in slots:
        found.setdefault(slot.which, []).append(states_at(read, slot.start, slot.length, head.state))
    # Slots of a thing in order of the row: its own places first, those aside behind them.
    return [torch.cat(parts) for _, parts in sorted(found.items())]


def distinct_views(things: Sequence[Thing]) -> tuple[list[Prepared], Tensor]:
    """The views of things, each once, and for each thing the number of its own `[n]`."""
    views = {id(thing.view): thing.view for thing in things if thing.view is not None}
    numbers = {key: number for number, key in enumerate(views)}
    return list(views.values()), torch.tensor([numbers[id(thing.view)] for thing in things], dtype=torch.long)
