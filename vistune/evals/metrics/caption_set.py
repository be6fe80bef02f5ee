"""Captions as integers: what BLEU, ROUGE-L and CIDEr-D share, computed once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.metrics.ptb import tokenize as ptb_tokenize

Ints = NDArray[np.int64]
MAX_N = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """n-grams of one order: entry k says that caption `owner[k]` holds n-gram `gram[k]` `count[k]` times.

    Sorted by owner, then gram; `kinds` n-grams exist in all captions together.
    """

    owner: Ints
    gram: Ints
    count: Ints
    kinds: int


@dataclass(frozen=True)
class CaptionSet:
    """One hypothesis and at least one reference an image, as token ids.

    `hypotheses[i]` belongs to image i; `references` are all images' references in order, `image[j]` the image of
    reference j, `words[t]` token t. A missing hypothesis has no tokens.
    """

    hypotheses: list[list[int]]
    references: list[list[int]]
    image: Ints
    words: list[str]
    missing: int

    @classmethod
    def of(
        cls,
        predictions: Sequence[str | None],
        references: Sequence[Sequence[str]],
        tokenize: Callable[[str], list[str]] = ptb_tokenize,
    ) -> CaptionSet:
        """Tokenise and number the words. Raises `InputError` for an image without references."""
        vocabulary: dict[str, int] = {}

        def encode(caption: str) -> list[int]:
            return [vocabulary.setdefault(token, len(vocabulary)) for token in tokenize(caption)]

        for number, (_, group) in enumerate(aligned(predictions, references)):
            if not group:
                raise InputError(f"image {number} has no reference caption")
        return cls(
            [encode(prediction or "") for prediction in predictions],
            [encode(reference) for group in references for reference in group],
            np.repeat(np.arange(len(references)), [len(group) for group in references]),
            list(vocabulary),
            missing(predictions),
        )

    def __len__(self) -> int:
        return len(self.hypotheses)

    def text(self, tokens: list[int]) -> str:
        """Tokens as words with spaces between."""
        return " ".join([self.words[token] for token in tokens])

    @cached_property
    def hypothesis_length(self) -> Ints:
        """Tokens of each hypothesis."""
        return np.array([len(tokens) for tokens in self.hypotheses], dtype=np.int64)

    @cached_property
    def reference_length(self) -> Ints:
        """Tokens of each reference."""
        return np.array([len(tokens) for tokens in self.references], dtype=np.int64)

    @cached_property
    def ngrams(self) -> tuple[tuple[Counts, Counts], ...]:
        """For n = 1..4: the n-grams of the hypotheses and of the references, numbered alike."""
        captions = len(self.hypotheses) + len(self.references)
        lengths = np.concatenate([self.hypothesis_length, self.reference_length])
        words = np.fromiter(chain.from_iterable(chain(self.hypotheses, self.references)), np.int64, int(lengths.sum()))
        owner = np.repeat(np.arange(captions), lengths)
        gram, orders = words, []
        for n in range(1, MAX_N + 1):
            if n > 1:
                # An n-gram is an (n-1)-gram and the next word of the same caption, renumbered densely.
                inside = owner[: len(gram) - 1] == owner[n - 1 :] if len(gram) else np.zeros(0, bool)
                pairs = gram[:-1] * (int(words.max(initial=0)) + 1) + words[n - 1 :]
                pairs[~inside] = -1
                gram = np.unique(pairs, return_inverse=True)[1] if len(pairs) else pairs
                gram = np.where(inside, gram, -1)
            orders.append(self._count(owner[: len(gram)], gram))
        return tuple(orders)

    def _count(self, owner: Ints, gram: Ints) -> tuple[Counts, Counts]:
        kinds = int(gram.max(initial=-1)) + 1
        inside = gram >= 0
        # Caption and n-gram as one number, so that counting is one sort; `divmod` takes them apart again.
        keys, count = np.unique(owner[inside] * kinds + gram[inside], return_counts=True)
        owners, grams = np.divmod(keys, max(kinds, 1))
        split = int(np.searchsorted(owners, len(self.hypotheses)))
        return (
            Counts(owners[:split], grams[:split], count[:split], kinds),
            Counts(owners[split:] - len(self.hypotheses), grams[split:], count[split:], kinds),
        )


def lookup(keys: Ints, values: Ints, wanted: Ints) -> Ints:
    """`values` at the places of `wanted` in sorted `keys`, 0 where absent."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    # `searchsorted` points behind the end for what is larger than all keys.
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
