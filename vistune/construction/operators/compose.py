"""Several media in one sample: choosing, naming by number, and in-context demonstrations."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from vistune.construction.facts import Facts
from vistune.construction.operators.generate import Apply
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, pairs_to_turns
from vistune.sample import Media, MediaRef, Region, Turn


def gather(most: int, least: int = 2, topic: bool = False) -> Operator:
    """Bundle records into one with up to `most` media and one caption each, in order; with `topic`, only records of a topic.

    Topics come from `meta`, where a clustering of the pictures puts them (TextBind). A record whose bundle stays below
    `least` is rejected.
    """

    def run(records: Iterable[Record]) -> Iterator[Record]:
        open_bundles: dict[str, list[Record]] = {}
        for record in records:
            if record.reject:
                yield record
                continue
            if len(record.media) != 1 or not record.facts.captions:
                yield record.rejected("missing", "one medium with a caption")
                continue
            key = str(record.meta.get("topic", "")) if topic else ""
            bundle = open_bundles.setdefault(key, [])
            bundle.append(record)
            if len(bundle) == most:
                yield _bundle(open_bundles.pop(key))
        for bundle in open_bundles.values():
            if len(bundle) >= least:
                yield _bundle(bundle)
            else:
                # Each record goes on by itself, so that the report's counts add up to what came in.
                yield from (record.rejected("bundle too small", f"{len(bundle)} media") for record in bundle)

    return run


def _bundle(records: Sequence[Record]) -> Record:
    captions = tuple(record.facts.captions[0] for record in records)
    if len(set(captions)) < len(captions):  # facts keep no repeats, and numbers must stay with their pictures
        captions = tuple(f"{caption} (number {number})" for number, caption in enumerate(captions, 1))
    media = tuple(record.media[0] for record in records)
    identity = "+".join(record.id for record in records)
    bundle = replace(records[0], id=identity, media=media, facts=Facts(captions=captions))
    scenes = [record.meta.get("scenes", []) for record in records]
    return bundle.with_meta("scenes", [one for own in scenes for one in own]) if any(scenes) else bundle


_NAME = re.compile(r"IMAGE#([0-9]+)")
_LOOSE_NAME = re.compile(r"IMAGE\s*[#\uff03]", re.IGNORECASE)  # also the wide number sign of Chinese and Japanese


def numbered_dialogues(first: tuple[int, int], second: int = 1) -> Apply:
    """Sparkles: every dialogue becomes a record with only the media it names, in the order of their first mention.

    The first question shows `first` (at least, at most) media, the second adds `second` new ones; ids must be known, and no
    text may name a medium that its dialogue does not show.
    """

    def apply(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
        for number, item in enumerate(items):
            dialogue = replace(record, id=f"{record.id}#{number}")
            shown = [[_number(image) for image in images] for images in item.fields["images"]]
            order = list(dict.fromkeys(image for images in shown for image in images))
            if any(not 1 <= image <= len(record.media) for image in order):
                yield dialogue.rejected("unknown picture", str(item.fields["images"])[:200])
            elif not first[0] <= len(shown[0]) <= first[1] or len(shown[1]) != second or set(shown[1]) & set(shown[0]):
                yield dialogue.rejected("wrong number of pictures", str(item.fields["images"]))
            else:
                yield _numbered(dialogue, item, shown, order)

    return apply


def _number(identity: str) -> int:
    """The number a reply gives a picture; 0, which no picture has, for what is none (`int` reads many more digits)."""
    return int(identity) if re.fullmatch("[0-9]{1,6}", identity) else 0


def _numbered(record: Record, item: Item, shown: Sequence[Sequence[int]], order: Sequence[int]) -> Record:
    # By place in this dialogue: the model sees only its media, and the list's numbers mean nothing to it.
    names = {f"IMAGE#{image}": f"picture {place}" for place, image in enumerate(order, 1)}
    pairs = [(_renamed(ask, names), _renamed(tell, names)) for ask, tell in item.pairs]
    loose = next((match for pair in pairs for text in pair if (match := _LOOSE_NAME.search(text))), None)
    if loose:
        return record.rejected("placeholder without a medium", loose.string[loose.start() :][:20])
    turns: list[Turn] = []
    for pair, images in zip(pairs, shown, strict=True):
        user, assistant = pairs_to_turns([pair])
        refs = tuple(MediaRef(order.index(image)) for image in images)
        turns += [replace(user, parts=refs + user.parts), assistant]
    return record.showing([image - 1 for image in order]).with_turns(tuple(turns))


def _renamed(text: str, names: dict[str, str]) -> str:
    return _NAME.sub(lambda match: names.get(match.group(), match.group()), text)


def demonstrations(count: int, pool: int = 64, seed: int = 0) -> Operator:
    """Put up to `count` earlier samples of the same task before each one, untrained (MIMIC-IT's related instructions)."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        earlier: dict[str, deque[Record]] = {}
        for record in records:
            if record.reject:
                yield record
                continue
            known = earlier.setdefault(record.task, deque(maxlen=pool))
            others = [other for other in known if other.media != record.media]
            # Drawn from earlier records alone, so that the stream needs no second pass and no record shows its own answer.
            shots = random.Random(f"{seed}:shots:{record.id}").sample(others, min(count, len(others)))
            # As it came: a record that carries demonstrations would hand them on, and samples would grow without end.
            known.append(record)
            yield _with_shots(record, shots)

    return run


def _with_shots(record: Record, shots: Sequence[Record]) -> Record:
    media: tuple[Media, ...] = ()
    turns: tuple[Turn, ...] = ()
    for index, shot in enumerate((*shots, record)):
        # Media are numbered through the whole sample, in the order in which they are shown.
        placed = shifted(with_media_first(shot), len(media))
        # Demonstrations have been trained as samples of their own; a second time would weigh them by their popularity.
        turns += placed if index == len(shots) else tuple(replace(turn, train=False) for turn in placed)
        media += shot.media
    meta = {**record.meta, "related": [shot.id for shot in shots]}
    facts = _shifted_facts(record.facts, len(media) - len(record.media))
    return replace(record, media=media, facts=facts, turns=turns, meta=meta)


def _shifted_facts(facts: Facts, by: int) -> Facts:
    """The facts with every box on the medium that moved behind the demonstrations', where the review page draws it."""

    def moved(regions: tuple[Region, ...]) -> tuple[Region, ...]:
        return tuple(replace(region, media=region.media + by) for region in regions)

    return replace(
        facts,
        objects=moved(facts.objects),
        regions=moved(facts.regions),
        ocr=moved(facts.ocr),
        keypoints=moved(facts.keypoints),
    )


def with_media_first(record: Record) -> tuple[Turn, ...]:
    """The turns, with media that no turn shows before the first one's text."""
    shown = {part.index for turn in record.turns for part in turn.parts if isinstance(part, MediaRef)}
    loose = tuple(MediaRef(index) for index in range(len(record.media)) if index not in shown)
    head, *rest = record.turns
    return (replace(head, parts=loose + head.parts), *rest)


def shifted(turns: Sequence[Turn], by: int) -> tuple[Turn, ...]:
    """The turns with every medium's number raised, as when media are put before theirs."""
    return tuple(
        replace(
            turn,
            parts=tuple(
                MediaRef(part.index + by)
                if isinstance(part, MediaRef)
                else replace(part, media=part.media + by)
                if isinstance(part, Region)
                else part
                for part in turn.parts
            ),
        )
        for turn in turns
    )
