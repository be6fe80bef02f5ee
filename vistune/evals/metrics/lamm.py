"""How LAMM's benchmark reads replies and counts what is right (Yin et al., LAMM, NeurIPS 2023)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from vistune.errors import MissingExtraError
from vistune.evals.metrics.box_iou import Box, box_iou

Named: TypeAlias = tuple[str, tuple[float, ...]]
"""An object: its label, and its box (xyxy, or centre and size in space)."""

LETTERS = "ABCDEFG"
_CONCLUSIONS = (
    re.compile(r"(?:The|the) answer is \(?[A-E]\)?\W"),
    re.compile(r"ANSWER: [A-E]"),
    re.compile(r"\([A-E]\)"),
)
_QUOTED = re.compile(r"(?<=['\"])(.*?)(?=['\"])")
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*")
_BOX = re.compile(r"\[ ?([\d.]+), ?([\d.]+), ?([\d.]+), ?([\d.]+) ?\]")
_CATEGORY = (
    re.compile(r"The ([\w\W ]+?)(?=object)"),
    re.compile(r"classified as ([\w\W ]+?)(?= is| and| within|\.|,)"),
    re.compile(r"categorized as ([\w\W ]+?)(?= can| at|\.|,)"),
    re.compile(r"belong(?:s|ing) to the category of ([\w\W ]+?)(?= at|\.|,)"),
    re.compile(r"belong(?:s|ing) to the ([\w\W ]+) category"),
    re.compile(r"falls under the category of ([\w\W ]+?)(?=\.|,)"),
    re.compile(r"falls under the ([\w\W ]+) category"),
    re.compile(r"its category is ([\w\W ]+?)(?=\.|,)"),
)

Names: TypeAlias = Callable[[str, str], bool]
"""Does a reply (second) name a label (first)?"""


def by_words(label: str, reply: str) -> bool:
    """The label, or its plural, stands in the reply as whole words, case aside."""
    return re.search(rf"(?<!\w){re.escape(label.lower())}(?:s|es)?(?!\w)", reply.lower()) is not None


def by_wordnet() -> Names:
    """The official rule: a synonym of the label's first sense is among the reply's words, reduced as WordNet does.

    Raises `MissingExtraError` without nltk, and nltk's own error without its WordNet data.
    """
    try:
        from nltk.corpus import wordnet
    except ImportError as error:
        raise MissingExtraError("nltk", "wordnet", "WordNet's synonyms") from error

    def named(label: str, reply: str) -> bool:
        senses = wordnet.synsets(label)
        names = {label, *(senses[0].lemma_names() if senses else ())}
        words = {wordnet.morphy(word) or word for word in re.findall(r"\w+", reply.lower())}
        return reply in names or bool(names & words)

    return named


def right_choice(reply: str, choices: Sequence[str], right: int) -> bool:
    """Every concluding letter is the right one; without any, the right choice's text and no other's is in the reply."""
    letter = LETTERS[right]
    first, second, third = (pattern.findall(reply) for pattern in _CONCLUSIONS)
    # The forms are tried from the most explicit to the least, and the first that occurs decides, as officially.
    if first:
        return all(letter in found for found in first)
    if second:
        return bool(second[0][-1] == letter)
    if third:
        return all(letter in found for found in third)
    told = [choice.lower() in reply.lower() for choice in choices]
    return told[right] and sum(told) == 1


def words_read(reply: str, words: Sequence[str]) -> float:
    """The share of a picture's words among those of the reply, or of what it has in quotes."""
    quoted = _QUOTED.findall(reply)
    said = (". ".join(quoted) if quoted else reply).lower().split()
    return sum(word.lower() in said for word in words) / len(words) if words else 0.0


def detections_in(reply: str) -> list[Named]:
    """Boxes that a sentence states together with a category; sentences without both say nothing."""
    found: list[Named] = []
    sentences = reply.strip().split(". ")
    for number, sentence in enumerate(sentences):
        stripped = sentence.strip()
        if not stripped:
            continue
        whole = (stripped[:-1] if number == len(sentences) - 1 and stripped.endswith(".") else stripped) + "."
        box, kinds = _BOX.search(whole), [kind for pattern in _CATEGORY if (kind := pattern.search(whole))]
        numbers = _floats(box.groups()) if box else []
        if len(numbers) == 4 and kinds and numbers[0] <= numbers[2] and numbers[1] <= numbers[3]:
            found.append((kinds[-1][1].strip(), tuple(numbers)))
    return found


def matched(truths: Sequence[Named], guesses: Sequence[Named], threshold: float, named: Names | None) -> int:
    """How many true boxes can be paired, one to one, with a guess that overlaps enough and, with `named`, names them."""
    reach = [
        [
            index
            for index, (label, box) in enumerate(truths)
            if box_iou(_flat(box), _flat(guess[1])) >= threshold and (named is None or named(label, guess[0]))
        ]
        for guess in guesses
    ]
    owner: dict[int, int] = {}

    # Kuhn's augmenting paths: a guess may take another's box where that one has a second choice.
    def paired(guess: int, seen: set[int]) -> bool:
        for index in reach[guess]:
            if index not in seen:
                seen.add(index)
                if index not in owner or paired(owner[index], seen):
                    owner[index] = guess
                    return True
        return False

    return sum(paired(guess, set()) for guess in range(len(guesses)))


def numbers_in(reply: str, group: int) -> list[tuple[float, ...]]:
    """Numbers in square, then in round brackets, so many at a time; in a reply without, all its numbers."""
    found = [
        number
        for pattern in (r"\[([^\[\]]*)\]", r"\(([^()]*)\)")
        for inner in re.findall(pattern, reply)
        for number in _floats(re.split(r"[, ]+", inner.strip()))
    ]
    # A group that is cut off at the end is no box.
    found = found[: len(found) // group * group] or _floats(_NUMBER.findall(reply))
    return [tuple(found[start : start + group]) for start in range(0, len(found) // group * group, group)]


def inside(points: Sequence[Sequence[float]], box: Sequence[float]) -> bool:
    """Does one of the points lie within the box, its border not included?"""
    return any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)


def box_iou_3d(first: Sequence[float], second: Sequence[float]) -> float:
    """IoU of boxes in space, each a centre and three sizes; corners are rounded to thousandths, as the official code does."""
    low, high = [], []
    for box in (first, second):
        low.append([round(box[axis] - abs(box[axis + 3] / 2), 3) for axis in range(3)])
        high.append([round(box[axis] + abs(box[axis + 3] / 2), 3) for axis in range(3)])
    sides = [max(0.0, min(high[0][axis], high[1][axis]) - max(low[0][axis], low[1][axis])) for axis in range(3)]
    shared = sides[0] * sides[1] * sides[2]
    sizes = [
        (high[number][0] - low[number][0]) * (high[number][1] - low[number][1]) * (high[number][2] - low[number][2])
        for number in range(2)
    ]
    united = sizes[0] + sizes[1] - shared
    return shared / united if united > 0 else 0.0


def found_in_space(truths: Sequence[Named], reply: str, threshold: float, named: Names) -> int:
    """How many true objects are named in the reply and overlapped by one of its boxes."""
    boxes = numbers_in(reply, 6)
    return sum(named(label, reply) and any(box_iou_3d(box, guess) > threshold for guess in boxes) for label, box in truths)


def _flat(box: Sequence[float]) -> Box:
    return box[0], box[1], box[2], box[3]


def _floats(words: Sequence[str]) -> list[float]:
    """The words that are numbers."""
    return [float(word) for word in words if re.fullmatch(r"-?(?:\d+\.?\d*|\.\d+)", word)]


RULES: Mapping[str, Callable[[], Names]] = {"words": lambda: by_words, "wordnet": by_wordnet}
