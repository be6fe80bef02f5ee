"""`Writer`: how one kind of part stands in a prompt. Codecs, modalities and heads are writers, so `render` knows no kinds.

image            [ 64 places ]                        filled by a modality
box              "[0.1,0.2,0.3,0.4]"                  a codec's words
box              "[0.1,0.2,0.3,0.4]" [ 1 place ]      words, then the token of the region (Ferret)
produce_mask     [SEG]                                a trigger: supervised, and a head reads the state there (LISA)
produce_image    [IMG0] [IMG1] [IMG2] [IMG3]          a run of triggers (NExT-GPT)
produce_image    "<dream>" [ 64 places ] "</dream>"   a head's own queries (DreamLLM)
produce_image    "<img_17><img_803>..."               words alone: the codes of a picture (SEED)
produce_image    [ the picture ] | "<caption> ..."    a picture, and aside the caption it is painted from (TextBind)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from vistune.sample import MediaRef, Part, Produce, Region, Sample

Branch: TypeAlias = tuple[int, int]
"""The place in a sample that tokens behind it go on from, and their number."""

MADE = "produce_"
"""In front of the kinds of things that an answer is to make: `produce_image`, `produce_mask`."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text, supervised as its turn is. Special tokens of the tokenizer are recognised in it.

    Text that is not `said` stands there whoever answers, and is never supervised.
    """

    text: str
    said: bool = True


@dataclass(frozen=True, slots=True)
class Places:
    """`count` positions whose embeddings a modality or a head fills; never supervised."""

    count: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """One special token, supervised as its turn is where it is `said`, at which a head reads the hidden state."""

    text: str
    said: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """Medium `index` of the sample as it stands in a question. Where its first place is, the model learns to say `says`."""

    index: int
    says: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Stretches that branch off where the part stands, unseen by what follows (`vistune.model.language.branches`).

    `alone`, they see nothing of the sample. They are laid behind the sample, only where its answer is supervised. A `Places` or
    a run of `Trigger`s among them is a further slot of the part.
    """

    stretches: tuple[Words | Places | Trigger, ...]
    alone: bool = False


Stretch: TypeAlias = Words | Places | Trigger | Shown | Aside


class Writer(Protocol):
    """How a part is written. Pure: a function of file headers and coordinates, with nothing decoded."""

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The stretches in order. The slot of the part is its one `Places`, or its run of neighbouring `Trigger`s."""
        ...


@dataclass(frozen=True, slots=True)
class FixedPlaces:
    """A writer that gives every part as many places, whatever it holds."""

    count: int

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """One run of places."""
        return [Places(self.count)]


def kind_of(part: MediaRef | Region | Produce, sample: Sample, answer: bool) -> str:
    """`image`, `box`, ... where a part is shown; `produce_image`, `produce_mask`, ... where an answer is to make it."""
    if isinstance(part, Region):
        return region_kind(part, answer)
    kind = sample.media[part.index].kind
    return MADE + kind if isinstance(part, Produce) else kind


def region_kind(region: Region, answer: bool) -> str:
    """`box`, `point` or `mask` in a question; `produce_box`, ... in an answer."""
    kind = "mask" if region.mask is not None else "box" if region.box is not None else "point"
    return MADE + kind if answer else kind
