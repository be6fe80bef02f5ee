"""What is wrong with a sample as it stands, without opening any medium."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vistune.sample import MediaRef, Produce, Region, Sample, Text, Turn


def check_sample(sample: Sample) -> Iterator[tuple[str, str]]:
    """`(reason, detail)` for each fault, with the reasons of `finding.PROBLEMS`."""
    yield from _turns(sample)
    yield from _marks(sample)
    yield from _media(sample)
    yield from _regions(sample)


def _turns(sample: Sample) -> Iterator[tuple[str, str]]:
    if not sample.turns:
        yield "no_turns", f"{sample.where} has no turns"
        return
    spoken = [turn for turn in sample.turns if turn.role != "system"]
    if (sample.turns[0].role != "system" and len(spoken) < len(sample.turns)) or len(sample.turns) - len(spoken) > 1:
        yield "turn_order", f"{sample.where}: a system turn stands after the beginning"
    for number, turn in enumerate(spoken):
        expected = ("user", "assistant")[number % 2]
        if turn.role != expected:
            yield "turn_order", f"{sample.where}: turn {number + 1} is the {turn.role}'s, expected the {expected}'s"
            break
    else:
        # The first turn out of order explains all that follow it.
        if len(spoken) % 2:
            yield "turn_order", f"{sample.where}: the last turn is the user's: nothing answers it"
    for number, turn in enumerate(sample.turns, 1):
        if turn.role != "system" and _empty(turn):
            reason = "empty_answer" if turn.role == "assistant" else "empty_question"
            yield reason, f"{sample.where}: turn {number} of the {turn.role} is empty"


def _empty(turn: Turn) -> bool:
    return not any(part.text.strip() if isinstance(part, Text) else True for part in turn.parts)


def _marks(sample: Sample) -> Iterator[tuple[str, str]]:
    """Marks that nobody sees are left over from files, and taught like any other character."""
    for number, turn in enumerate(sample.turns, 1):
        if strange := sorted(set(turn.text) & {"\ufeff", "\r"}):
            names = {"\ufeff": "a byte order mark", "\r": "a carriage return"}
            yield "odd_marks", f"{sample.where}: turn {number} holds {' and '.join(names[mark] for mark in strange)}"
            return


def _media(sample: Sample) -> Iterator[tuple[str, str]]:
    """Every medium is shown once (or looked at through a region alone, as in detection without turns)."""
    shown = Counter(part.index for turn in sample.turns for part in turn.parts if isinstance(part, MediaRef | Produce))
    for index, medium in enumerate(sample.media):
        if sample.turns and not shown[index]:
            yield "placeholders", f"{sample.where}: {medium.kind} {medium.name} is shown in no turn"
        elif shown[index] > 1:
            yield "placeholders", f"{sample.where}: {medium.kind} {medium.name} is shown {shown[index]} times"


def _regions(sample: Sample) -> Iterator[tuple[str, str]]:
    """Boxes outside the image cannot be built into a sample at all; here those remain that enclose nothing."""
    regions = [part for turn in sample.turns for part in turn.parts if isinstance(part, Region)]
    # A region that is annotated and spoken of is one region, and its fault is told once.
    for region in dict.fromkeys([*sample.regions, *regions]):
        if region.box is not None and (region.box[0] >= region.box[2] or region.box[1] >= region.box[3]):
            yield "box", f"{sample.where}: box {region.box} is empty"
        if region.mask is not None and not region.mask.any():
            yield "box", f"{sample.where}: a mask{f' of {region.label!r}' if region.label else ''} is empty"
