"""The contract between a model and whoever asks it (the chat, evaluation, servers, tools), whatever the model is made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vistune.errors import InputError
from vistune.model.answering.wording import Speaker

if TYPE_CHECKING:
    from vistune.model.answering.answers import Answer
    from vistune.sample import Sample


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model is asked.

    tokenizer:  its tokenizer
    stops:      texts that end an answer
    ends:       tokens that end an answer
    vocabulary: how many logits there are
    context:    the most tokens of a prompt with its answer
    reads:      the kinds of media that it takes
    points:     the kinds of regions that it can be pointed at with
    makes:      the kinds of things that its heads make
    """

    tokenizer: Any
    stops: tuple[str, ...]
    ends: frozenset[int]
    vocabulary: int
    context: int
    reads: tuple[str, ...]
    points: tuple[str, ...] = ("box", "point")
    makes: tuple[str, ...] = ()


class Asked:
    """A model that answers."""

    # One property holds all terms: a model's parts are its attributes, by names that a recipe chooses, and `reads` or `points`
    # may be the name of one.
    @property
    @abstractmethod
    def terms(self) -> Terms:
        """How it is asked."""

    @abstractmethod
    def text_of(self, ids: Sequence[int]) -> str:
        """Tokens of an answer as text."""

    @abstractmethod
    def prompt_text(self, sample: Sample) -> str:
        """The prompt in full, as the model reads it."""

    @abstractmethod
    def generate(self, samples: Sequence[Sample], max_new_tokens: int = 128, batch_size: int = 8, **options: Any) -> list[str]:
        """A text for each sample's last question; turns after it are ignored. Greedy unless `options` say otherwise."""

    @abstractmethod
    def answer(
        self, samples: Sequence[Sample], max_new_tokens: int = 128, say: Callable[[str], None] | None = None, **options: Any
    ) -> list[Answer]:
        """Texts with the regions that they write and what heads make; `say` is told a single sample's text as it is written."""

    def rank(self, sample: Sample, options: Sequence[str], mean: bool = False) -> list[float]:
        """Log-probability of each option as the answer. Raises `InputError` where the model cannot tell."""
        raise InputError("the model is not made of this package's parts: it cannot rank options, only write answers")

    def spoken(self, say: Callable[[str], None] | None, options: dict[str, Any]) -> dict[str, Any]:
        """Arguments of `generate` with which one answer is said as it is written."""
        # Several beams have no answer until the end.
        if say is None or options.get("num_beams", 1) > 1:
            return {}
        terms = self.terms
        return {"streamer": Speaker(self.text_of, terms.stops, terms.ends, say)}


def positions(config: Any) -> int:
    """The most tokens that a language model of `transformers` reads, by its configuration."""
    # Families with relative positions (T5) name no limit.
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 20)
