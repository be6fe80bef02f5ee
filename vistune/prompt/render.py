"""`render`: a sample becomes token ids, labels and slots, in one pass. Training, chat, evaluation and serving all call it.

    text      <bos> ... USER:  [ image 0, 64 places ]  What is it? ASSISTANT:  A cat.</s>
    ids        1    ...  17     9  9  9  ...  9        31  7  ...   44   12     8  5  2
    labels   -100  -100 -100  -100 ...     -100      -100 ...     -100  -100    8  5  2
    slots    {"image": [Slot(which=0, start=.., length=64)]}

Stretches of text between special tokens and media are tokenized as one string, and labels follow the tokenizer's own offsets: a
token is supervised when its last character is. Nothing else in the package computes positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from transformers import PreTrainedTokenizerBase

from vistune.errors import InputError
from vistune.prompt.codec import Codec
from vistune.prompt.spelling import spelled
from vistune.prompt.template import Piece, Template, fill
from vistune.sample import MediaRef, Produce, Sample, Text

IGNORE = -100


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one thing went: `which` of its kind in the sample, and `length` places from `start`."""

    which: int
    start: int
    length: int


Slots: TypeAlias = dict[str, list[Slot]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`ids` and `labels` (`IGNORE` where unsupervised) of equal length, `slots`, and how many turns were dropped to fit."""

    ids: list[int]
    labels: list[int]
    slots: Slots
    dropped_turns: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def supervised(self) -> int:
        """How many tokens carry a label that a next-token loss can use (the first place has no predecessor)."""
        return sum(label != IGNORE for label in self.labels[1:])


@dataclass(frozen=True)
class Renderer:
    """Template, codec and tokenizer of one model. `placeholder` is the id that stands in the places of media."""

    template: Template
    codec: Codec
    tokenizer: PreTrainedTokenizerBase
    placeholder: int
    _special: re.Pattern[str] | None = field(init=False)
    _tokens: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        words = sorted(map(str, self.tokenizer.get_added_vocab()), key=len, reverse=True)
        object.__setattr__(self, "_special", re.compile("(" + "|".join(map(re.escape, words)) + ")") if words else None)
        tokens = {"bos": self.tokenizer.bos_token or "", "eos": self.tokenizer.eos_token or ""}
        object.__setattr__(self, "_tokens", tokens)

    def render(
        self,
        sample: Sample,
        lengths: Callable[[int], int],
        answer_next: bool = False,
        max_length: int | None = None,
    ) -> Rendered:
        """Render `sample`; `lengths(index)` is the number of tokens medium `index` takes.

        With `answer_next`, ends where the answer is to begin. Over `max_length`, whole question-answer pairs are dropped from
        the end, never part of a medium. Raises `InputError`, naming the sample, when one pair alone does not fit, when turns do
        not alternate, and when there is nothing to supervise.
        """
        turns = sample.turns
        while True:
            kept = replace(sample, turns=turns)
            rendered = self._assemble(self.template.pieces(kept, answer_next), lengths, sample)
            if max_length is None or len(rendered) <= max_length:
                break
            shorter = turns[:-2]
            if answer_next or not any(turn.role == "assistant" for turn in shorter):
                raise InputError(
                    f"{sample.where}: takes {len(rendered)} tokens, {self._count(rendered)} of them media, "
                    f"but the limit is {max_length}: raise the limit or shorten the sample"
                )
            turns = shorter
        if not answer_next and not rendered.supervised:
            raise InputError(f"{sample.where}: has no supervised token: every answer is empty or marked train=false")
        return replace(rendered, dropped_turns=len(sample.turns) - len(turns))

    @staticmethod
    def _count(rendered: Rendered) -> int:
        return sum(slot.length for slots in rendered.slots.values() for slot in slots)

    def _assemble(self, pieces: Iterable[Piece], lengths: Callable[[int], int], sample: Sample) -> Rendered:
        ids: list[int] = []
        labels: list[int] = []
        slots: Slots = {}
        pending: list[tuple[str, bool]] = []  # text waiting to be tokenized in one go, with its supervision

        def flush() -> None:
            if pending:
                new_ids, new_labels = self._tokenize(pending)
                ids.extend(new_ids)
                labels.extend(new_labels)
                pending.clear()

        for piece in spelled(list(pieces), self.codec, sample):
            if isinstance(piece.part, (MediaRef, Produce)):
                flush()
                medium = sample.media[piece.part.index]
                kind = medium.kind if isinstance(piece.part, MediaRef) else f"produce_{medium.kind}"
                count = lengths(piece.part.index)
                slots.setdefault(kind, []).append(Slot(piece.part.index, len(ids), count))
                ids.extend([self.placeholder] * count)
                labels.extend([IGNORE] * count)
                continue
            for text, special in self._split(self._text(piece), piece.structure):
                if special:
                    flush()
                    token = self.tokenizer.convert_tokens_to_ids(text)
                    ids.append(token)
                    labels.append(token if piece.trained else IGNORE)
                elif text:
                    pending.append((text, piece.trained))
        flush()
        return Rendered(ids, labels, slots)

    def _text(self, piece: Piece) -> str:
        assert isinstance(piece.part, Text)
        return fill(piece.part.text, self._tokens) if piece.structure else piece.part.text

    def _split(self, text: str, structure: bool) -> list[tuple[str, bool]]:
        """Cut structure at special tokens. In a sample's own text, what looks like a special token is plain characters."""
        if not structure or self._special is None:
            return [(text, False)]
        return [(piece, index % 2 == 1) for index, piece in enumerate(self._special.split(text))]

    def _tokenize(self, stretches: Sequence[tuple[str, bool]]) -> tuple[list[int], list[int]]:
        text = "".join(stretch for stretch, _ in stretches)
        encoding = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True)
        ids: list[int] = encoding["input_ids"]
        trained = [flag for stretch, flag in stretches for _ in stretch]
        labels = [
            token if end and trained[end - 1] else IGNORE
            for token, (_, end) in zip(ids, encoding["offset_mapping"], strict=True)
        ]
        return ids, labels
