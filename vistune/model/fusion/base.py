"""The contract of fusion."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from vistune.prompt.render import Slots


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the language model is fed: `embeds [T, H]`, and per-token `modality [T]` or None (0 text, 1 visual)."""

    embeds: Tensor
    modality: Tensor | None = None


class Fusion(nn.Module):
    """How visual tokens reach the language model."""

    @abstractmethod
    def install(self, language_model: nn.Module) -> None:
        """Attach what the fusion needs to this instance, once, through the wrapper's hooks."""

    @abstractmethod
    def prepare(self, embeds: Tensor, tokens: list[Tensor], slots: Slots) -> Inputs:
        """Text embeddings `[T, H]` and the visual tokens of each medium `[K, H]` -> inputs. Slots say what goes where."""
