"""The contract between training and models: what a run asks of a model, whatever the model is made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from vistune.model.modalities.chain import Chain
from vistune.prompt.render import Rendered
from vistune.sample import MediaKind, Sample
from vistune.spec import Spec


class Ready(Protocol):
    """A sample that is rendered, and whose media are prepared."""

    @property
    def id(self) -> str:
        """The sample's."""

    @property
    def rendered(self) -> Rendered:
        """Its tokens."""


class Row(Protocol):
    """Samples as one batch: `ids` are all tokens that are read, padding left out; `counts` what its losses are counted in."""

    @property
    def names(self) -> tuple[str, ...]:
        """The samples' ids."""

    @property
    def ids(self) -> Tensor:
        """Tokens, of all samples."""

    @property
    def supervised(self) -> int:
        """How many tokens carry a label."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How much of each that a loss is counted in, by name."""


Rendering = TypeVar("Rendering")
Example = TypeVar("Example", bound=Ready)
Batch = TypeVar("Batch", bound=Row)


class Trainable(nn.Module, Generic[Rendering, Example, Batch]):
    """A model as a run sees it. Its children are `Part`s; calling it with a batch gives the named losses.

    `packs` says that samples lie behind each other in rows: only such a model takes a budget of tokens or images, a template of
    a stage, and can be sharded.
    """

    # Models of `transformers` taken whole pad instead: their attention is their own and cannot be told where samples end.
    packs: ClassVar[bool]

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def chains(self) -> Mapping[MediaKind, Chain]:
        """The modalities whose frozen parts a feature cache may stand in for, by kind; none in a model taken whole."""
        return {}

    @property
    @abstractmethod
    def max_length(self) -> int:
        """The most tokens of a training sample."""

    @property
    def looks_back(self) -> bool:
        """Whether something looks at features of media, which then must be there beside tokens."""
        return False

    @property
    def losses(self) -> dict[str, float]:
        """The published weight of every loss that the model can give, by name."""
        return {"text": 1.0}

    @abstractmethod
    def renderer_of(self, template: Spec | None) -> Rendering:
        """What turns samples into token ids, with the model's own template or another."""

    @abstractmethod
    def tokens_of(self, sample: Sample, renderer: Rendering) -> int:
        """How many tokens a sample takes whole, whatever the limit; decodes no more of its media than it must."""

    @abstractmethod
    def example(self, sample: Sample, renderer: Rendering) -> Example:
        """Render a sample and prepare its media. Runs on the CPU, touches no weights."""

    @abstractmethod
    def pack(self, examples: Sequence[Example]) -> Batch:
        """Examples as one batch for training."""

    @abstractmethod
    def save_tokenizer(self, folder: Path) -> None:
        """Write the tokenizer's files."""


AnyTrainable = Trainable[Any, Any, Any]
