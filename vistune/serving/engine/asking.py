"""`Ask`: a question to a model, whatever the protocol; and the events that come back while it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from vistune.errors import InputError
from vistune.sample import Media, Region, Sample


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. `temperature` 0 is greedy; copy number i of an answer is drawn with `seed + i`.

    `logprobs` is how many alternatives are told beside each token (None: not even its own). `schema` is the JSON schema that
    an answer keeps to, `{}` for any JSON object.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logprobs: int | None = None
    schema: Mapping[str, Any] | None = None

    @property
    def plain(self) -> bool:
        """Whether the likeliest token is taken and nothing is told of it."""
        return (
            self.temperature == 0
            and not self.frequency_penalty
            and not self.presence_penalty
            and self.logprobs is None
            and self.schema is None
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: `sample`'s last, to be answered `copies` times, each at most `max_tokens` long and up to the first `stop`."""

    sample: Sample
    max_tokens: int = 256
    copies: int = 1
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A token that was chosen: its text, the natural logarithm of its probability, and the likeliest tokens in its place."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """More of answer `copy`: `text` may be empty where a token completes no character."""

    copy: int
    text: str
    tokens: tuple[Likelihood, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """Answer `copy` is complete: its whole `text`, why it ended (`stop` or `length`), how many tokens it took to write.

    The first of `regions` are those that the text writes, at `spans` of its characters; the others heads made.
    """

    copy: int
    text: str
    reason: str
    tokens: int
    regions: tuple[Region, ...] = ()
    media: tuple[Media, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The question is not answered."""

    error: InputError


@dataclass(frozen=True, slots=True)
class Ranked:
    """The options' log-probabilities as the answer, natural logarithm."""

    scores: tuple[float, ...]


Event: TypeAlias = Said | Ended | Failed | Ranked
Hear: TypeAlias = Callable[[Event], None]
