"""Regions of a conversation as the text that a codec writes for them, phrases in front of them included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.prompt.codec import Codec, Size
from vistune.prompt.template import Piece
from vistune.sample import Part, Region, Sample, Text


def spell(
    parts: Sequence[Part], codec: Codec, sample: Sample, keep: Callable[[Region], bool] = lambda region: False
) -> Iterator[tuple[Part, bool]]:
    """The parts with regions written out, each with whether it is the codec's own text (marks and numbers).

    Neighbouring regions of one name on one medium are one phrase's, and go into one pair of brackets where the codec has a
    `joiner`. Where the words in front of them end in their name, it is written as the codec's `phrase`.
    Regions to `keep` have another writer than the codec and stay as they are.
    Raises `InputError`, naming the sample, for a mask, and for a picture whose size is needed and cannot be read.
    """
    pending: list[Part] = list(parts)
    while pending:
        part = pending.pop(0)
        if isinstance(part, Region) and keep(part):
            yield part, False
            continue
        if not isinstance(part, Region):
            following = pending[0] if pending else None
            if isinstance(part, Text) and isinstance(following, Region) and not keep(following):
                yield from _named(part.text, following.label, codec)
            else:
                yield part, False
            continue
        phrase = [part]
        while pending and _together(part, pending[0]) and not (isinstance(pending[0], Region) and keep(pending[0])):
            phrase.append(pending.pop(0))  # type: ignore[arg-type]
        try:
            yield Text(codec.encode_all(phrase, _size(codec, sample, part.media))), True
        except InputError as error:
            raise InputError(f"{sample.where}: {error}") from error


def spelled(
    pieces: Sequence[Piece], codec: Codec, sample: Sample, keep: Callable[[Region, bool], bool] = lambda region, answer: False
) -> Iterator[Piece]:
    """The same for a laid out prompt: what the codec writes is structure, in which special tokens are found.

    Regions to `keep` (in an answer or not) stay as they are.
    """
    for (structure, trained, answer), run in groupby(pieces, key=lambda piece: (piece.structure, piece.trained, piece.answer)):
        if structure:
            yield from run
        else:
            for part, own in spell([piece.part for piece in run], codec, sample, _fixed(keep, answer)):
                yield Piece(part, trained, structure=own, answer=answer)


def _fixed(keep: Callable[[Region, bool], bool], answer: bool) -> Callable[[Region], bool]:
    return lambda region: keep(region, answer)


def written(parts: Sequence[Part], codec: Codec, sample: Sample) -> list[Part]:
    """The same without marks, for those who have no tokens of their own: native models and chat models over HTTP."""
    return [part for part, _ in spell(parts, codec, sample)]


def _named(text: str, label: str | None, codec: Codec) -> Iterator[tuple[Part, bool]]:
    """Words in front of a region, its name at their end as the codec writes names."""
    # The blank between a name and its box is the codec's to write, since brackets of some codecs stand without one.
    words = text.rstrip()
    if not codec.phrase or not label or not words.endswith(label):
        yield Text(text), False
        return
    before, (first, _, last) = words[: len(words) - len(label)], codec.phrase.partition("{label}")
    for stretch, own in ((before, False), (first, True), (label, False), (last, True)):
        if stretch:
            yield Text(stretch), own


def _together(first: Region, second: Part) -> bool:
    if not isinstance(second, Region) or first.mask is not None or second.mask is not None:
        return False
    # A box and a point never share brackets: their patterns differ.
    return (first.media, first.label, first.box is None) == (second.media, second.label, second.box is None)


def _size(codec: Codec, sample: Sample, index: int) -> Size | None:
    return image_size(sample.media[index], sample.where) if codec.needs_size else None
