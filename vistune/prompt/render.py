"""`render`: a sample becomes token ids, labels and slots, in one pass. Training, chat, evaluation and serving all call it.

    text      <bos> ... USER:  [ image 0, 64 places ]  What is it? ASSISTANT:  A cat.</s>
    ids        1    ...  17     9  9  9  ...  9        31  7  ...   44   12     8  5  2
    labels   -100  -100 -100  -100 ...     -100      -100 ...     -100  -100    8  5  2
    slots    {"image": [Slot(which=0, start=.., length=64)]}

How a medium, a region or an artefact is written is asked of its writer (`vistune.prompt.writer`). Text between special tokens
and places is tokenized as one string, and labels follow the tokenizer's own offsets: a token is supervised when its last
character is. Nothing else in the package computes positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from transformers import PreTrainedTokenizerBase

from vistune.errors import InputError, TooLongError
from vistune.prompt.codec import Codec
from vistune.prompt.spelling import spelled
from vistune.prompt.template import Piece, Template, with_own_tokens
from vistune.prompt.writer import MADE, Aside, Branch, Places, Shown, Stretch, Trigger, Words, Writer, kind_of, region_kind
from vistune.sample import MediaRef, Part, Region, Sample, Text

IGNORE = -100


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a thing went: `which` counts the things of its kind in the sample, `length` its places from `start`."""

    which: int
    start: int
    length: int


Slots: TypeAlias = dict[str, list[Slot]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`ids` and `labels` (`IGNORE` where unsupervised) of equal length, and `slots`.

    `things` are the parts that slots belong to, by kind, in the order in which `Slot.which` counts them: a medium that is shown
    twice is one thing with two slots. `dropped_turns` were left out so that the rest fits. `branches` are the stretches at the
    end that go on from the middle.
    """

    ids: list[int]
    labels: list[int]
    slots: Slots
    dropped_turns: int = 0
    things: dict[str, list[Part]] = field(default_factory=dict)
    branches: tuple[Branch, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def supervised(self) -> int:
        """How many tokens carry a label that a next-token loss can use (the first place has no predecessor)."""
        return sum(label != IGNORE for label in self.labels[1:])


@dataclass(slots=True)
class _Row:
    """A row while it is laid out. `pending` is text that waits to be tokenized in one go, with its supervision."""

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    slots: Slots = field(default_factory=dict)
    things: dict[str, list[Part]] = field(default_factory=dict)
    pending: list[tuple[str, bool]] = field(default_factory=list)

    def place(self, kind: str, part: Part, count: int, more: bool = False) -> None:
        """Give the next `count` places to a part; `more` makes its last slot longer instead."""
        slots, things = self.slots.setdefault(kind, []), self.things.setdefault(kind, [])
        if more:
            slots[-1] = replace(slots[-1], length=slots[-1].length + count)
            return
        # Artefacts are made each on its own; a medium or region that is shown again is the same thing.
        if kind.startswith(MADE) or part not in things:
            things.append(part)
            slots.append(Slot(len(things) - 1, len(self.ids), count))
        else:
            slots.append(Slot(things.index(part), len(self.ids), count))

    def branch(self, other: _Row) -> None:
        """Lay another row behind this one. Nothing predicts its first token; its slots belong to the same parts."""
        for kind, places in other.slots.items():
            things = self.things.setdefault(kind, [])
            for slot in places:
                part = other.things[kind][slot.which]
                # By identity: two equal regions that an answer makes are two artefacts, and a branch belongs to one of them.
                number = next((number for number, thing in enumerate(things) if thing is part), len(things))
                if number == len(things):
                    things.append(part)
                self.slots.setdefault(kind, []).append(Slot(number, slot.start + len(self.ids), slot.length))
        self.ids += other.ids
        # Its predecessor in the row is not its predecessor in the sample.
        self.labels += [IGNORE, *other.labels[1:]]


@dataclass(frozen=True, slots=True)
class _Branching:
    """What stands aside of a piece, and where in the row it branches off."""

    piece: Piece
    kind: str
    aside: Aside
    start: int


@dataclass(frozen=True)
class Renderer:
    """Template, codec, tokenizer and writers (by kind) of one model. `placeholder` is the id that stands in places to fill."""

    template: Template
    codec: Codec
    tokenizer: PreTrainedTokenizerBase
    placeholder: int
    writers: Mapping[str, Writer] = field(default_factory=dict)
    _special: re.Pattern[str] | None = field(init=False)
    _tokens: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        # Longest first: of `<img>` and `<img_end>` a regular expression takes the first alternative that matches.
        words = sorted(map(str, self.tokenizer.get_added_vocab()), key=len, reverse=True)
        object.__setattr__(self, "_special", re.compile("(" + "|".join(map(re.escape, words)) + ")") if words else None)
        tokens = {"bos": self.tokenizer.bos_token or "", "eos": self.tokenizer.eos_token or ""}
        object.__setattr__(self, "_tokens", tokens)

    def render(
        self,
        sample: Sample,
        answer_next: bool = False,
        max_length: int | None = None,
    ) -> Rendered:
        """Render `sample`. With `answer_next`, ends where the answer is to begin.

        Over `max_length`, whole question-answer pairs are dropped from the end, never part of a medium. Raises `InputError`,
        naming the sample, when one pair alone does not fit, when turns do not alternate, when there is nothing to supervise,
        and for media and artefacts that the model cannot read or make.
        """
        turns = sample.turns
        while True:
            # Rendered anew for each length: templates number rounds and close conversations, so cutting ids at the end would
            # not do.
            kept = replace(sample, turns=turns)
            rendered = self._assemble(self.template.pieces(kept, answer_next), sample, asides=not answer_next)
            if max_length is None or len(rendered) <= max_length:
                break
            # A question without its answer teaches nothing, so turns go by pairs, and media with the turn they stand in.
            shorter = turns[:-2]
            if answer_next or not any(turn.role == "assistant" for turn in shorter):
                raise TooLongError(
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

    def _assemble(self, pieces: Iterable[Piece], sample: Sample, asides: bool) -> Rendered:
        row = _Row()
        branching: list[_Branching] = []
        # Regions that nobody but the codec writes become text first, so that those of one phrase can share a bracket.
        for piece in spelled(list(pieces), self.codec, sample, self._has_writer):
            kind, stretches = self._written(piece, sample)
            beside = [stretch for stretch in stretches if isinstance(stretch, Aside)]
            # The place where a branch leaves the row is a number of tokens, so the text before it must be tokens by then.
            if beside:
                self._flush(row)
                branching += [_Branching(piece, kind, aside, 0 if aside.alone else len(row.ids)) for aside in beside]
            self._lay(row, kind, piece, [stretch for stretch in stretches if not isinstance(stretch, Aside)], sample)
        self._flush(row)
        branches: list[Branch] = []
        for each in branching:
            # Branches are targets of heads; while an answer is generated, `answers` lays them behind what was said.
            if asides and each.piece.trained:
                other = _Row()
                self._lay(other, each.kind, each.piece, each.aside.stretches, sample)
                self._flush(other)
                row.branch(other)
                branches.append((each.start, len(other.ids)))
        return Rendered(row.ids, row.labels, row.slots, things=row.things, branches=tuple(branches))

    def _lay(self, row: _Row, kind: str, piece: Piece, stretches: Sequence[Stretch], sample: Sample) -> None:
        """Lay the stretches of a piece at the end of a row."""
        before: Stretch | None = None
        for stretch in stretches:
            if isinstance(stretch, Places):
                self._flush(row)
                # Text in front becomes tokens first: a slot's start is a number of tokens.
                row.place(kind, piece.part, stretch.count)
                row.ids.extend([self.placeholder] * stretch.count)
                row.labels.extend([IGNORE] * stretch.count)
            elif isinstance(stretch, Trigger):
                self._flush(row)
                # Neighbouring triggers are one slot, whose states a head reads together (NExT-GPT's signal tokens).
                row.place(kind, piece.part, 1, more=isinstance(before, Trigger))
                self._special_token(row, stretch.text, piece.trained and stretch.said)
            elif isinstance(stretch, Shown):
                self._show(row, piece, stretch, sample)
            elif isinstance(stretch, Words):
                # In a sample's own text, text that looks like a special token is plain characters.
                structure = piece.structure or not isinstance(piece.part, Text)
                self._words(row, stretch.text, piece.trained and stretch.said, structure)
            before = stretch

    def _show(self, row: _Row, piece: Piece, stretch: Shown, sample: Sample) -> None:
        """Lay a medium as it stands in a question; the place where it begins is to be predicted as the word for it."""
        shown = replace(piece, part=MediaRef(stretch.index), answer=False)
        kind, stretches = self._written(shown, sample)
        self._flush(row)
        start = len(row.ids)
        self._lay(row, kind, shown, stretches, sample)
        self._flush(row)
        if piece.trained and len(row.ids) > start:
            # The place itself is filled by an embedding; only the state before it learns to announce the medium.
            row.labels[start] = self.tokenizer.convert_tokens_to_ids(stretch.says)

    def _written(self, piece: Piece, sample: Sample) -> tuple[str, Sequence[Stretch]]:
        """The kind of a piece, and what its writer says stands for it."""
        part = piece.part
        if isinstance(part, Text):
            return "text", [Words(with_own_tokens(part.text, self._tokens) if piece.structure else part.text)]
        kind = kind_of(part, sample, piece.answer)
        writer = self.writers.get(kind)
        try:
            if writer is not None:
                return kind, writer.write(part, sample)
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(sample.where) else f"{sample.where}: {error}") from error
        assert not isinstance(part, Region), "the codec has written it"
        where = f"{sample.where}: medium {part.index + 1}"
        if kind.startswith(MADE):
            raise InputError(f"{where}: this model has no head that makes {kind.removeprefix(MADE)} media in an answer")
        raise InputError(f"{where}: this model has no encoder for {kind} media")

    def _has_writer(self, region: Region, answer: bool) -> bool:
        return region_kind(region, answer) in self.writers

    def _words(self, row: _Row, text: str, trained: bool, structure: bool) -> None:
        for piece, special in self._split(text, structure):
            if special:
                self._flush(row)
                self._special_token(row, piece, trained)
            elif piece:
                row.pending.append((piece, trained))

    def _special_token(self, row: _Row, text: str, trained: bool) -> None:
        token = self.tokenizer.convert_tokens_to_ids(text)
        row.ids.append(token)
        row.labels.append(token if trained else IGNORE)

    def _flush(self, row: _Row) -> None:
        """Tokenize the text that waits."""
        if row.pending:
            ids, labels = self._tokenize(row.pending)
            row.ids.extend(ids)
            row.labels.extend(labels)
            row.pending.clear()

    def _split(self, text: str, structure: bool) -> list[tuple[str, bool]]:
        """Cut structure at special tokens: `(text, whether it is one)`."""
        if not structure or self._special is None:
            return [(text, False)]
        return [(piece, index % 2 == 1) for index, piece in enumerate(self._special.split(text))]

    def _tokenize(self, stretches: Sequence[tuple[str, bool]]) -> tuple[list[int], list[int]]:
        text = "".join(stretch for stretch, _ in stretches)
        # `split_special_tokens`: a user who types `</s>` gets characters, never the token that ends an answer.
        encoding = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True)
        ids: list[int] = encoding["input_ids"]
        # One flag a character. A token that straddles two stretches belongs to the one its last character lies in: the
        # space in front of an answer is part of its first word in most vocabularies, and that word is to be learnt.
        trained = [flag for stretch, flag in stretches for _ in stretch]
        labels = [
            token if end and trained[end - 1] else IGNORE  # tokens that stand for no text end at 0
            for token, (_, end) in zip(ids, encoding["offset_mapping"], strict=True)
        ]
        return ids, labels
