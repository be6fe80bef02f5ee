"""Filters: what is wrong with a finished conversation rejects it, with the filter's name as the reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from vistune.construction.guards import injected, refused
from vistune.construction.kit import Kit
from vistune.construction.operators.generate import generate
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each
from vistune.sample import Media, Region, Text

SOURCE_WORDS = (
    "the caption",
    "this caption",
    "caption says",
    "provided description",
    "given description",
    "description provided",
    "description says",
    "bounding box",
    "coordinates",
    "given text",
    "given information",
    "provided information",
    "provided context",
    "as an ai",
    "language model",
)


def leak_words(*phrases: str, of: Sequence[str] = SOURCE_WORDS) -> Operator:
    """Reject a conversation that speaks of its source; `phrases` are added to the usual ones. Whole words, any case.

    The phrases and orders to the model count on both sides; only an assistant refuses, a user may well begin with "Sorry".
    """
    listed = "|".join(re.escape(phrase) for phrase in (*of, *phrases))
    pattern = re.compile(rf"\b(?:{listed})(?:s|es)?\b", re.IGNORECASE)

    def check(record: Record) -> Record:
        for turn in record.turns:
            match = pattern.search(turn.text)
            if match or injected(turn.text) or (turn.role == "assistant" and refused(turn.text)):
                return record.rejected("leak", match.group() if match else turn.text[:60])
        return record

    return each(check)


def length(least: int = 1, most: int = 600) -> Operator:
    """Reject a conversation with an answer of fewer or more words; a box or a medium counts as one."""

    def check(record: Record) -> Record:
        told = [turn for turn in record.turns if turn.role == "assistant"]
        counts = [count_words(turn.text) + sum(not isinstance(part, Text) for part in turn.parts) for turn in told]
        wrong = [count for count in counts if not least <= count <= most]
        return record.rejected("length", f"{wrong[0]} words") if wrong else record

    return each(check)


def count_words(text: str) -> int:
    """Words, where Chinese and Japanese characters count as one each."""
    return len(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+", text))


def unique(scope: Callable[[Record], Hashable] = lambda record: tuple(map(_identity, record.media))) -> Operator:
    """Reject a conversation whose questions and answers appeared before within the scope (default: the same media).

    Texts are compared without case, punctuation and spacing, but with the signs of numbers and formulas; boxes as they are.
    """

    def run(records: Iterable[Record]) -> Iterator[Record]:
        seen: set[Hashable] = set()
        for record in records:
            if record.reject:
                yield record
                continue
            said = tuple(plain(turn.text) for turn in record.turns)
            # Two questions about two places of a picture have the same words.
            boxes = tuple(part.bounds() for turn in record.turns for part in turn.parts if isinstance(part, Region))
            key = (scope(record), said, boxes)
            yield record.rejected("duplicate") if key in seen else record
            seen.add(key)

    return run


_WORD = re.compile(
    r"(?<![\w)])[-\u2212+]?\d[\d.,]*\d|(?<![\w)])[-\u2212+]\d"  # a number with its sign and its point
    r"|[^\W_]+(?:(?<=\d)[.,](?=\d)[^\W_]+)*"
    r"|[+=<>%^\u00d7\u00f7\u00b1\u2212/\u00b0$\u20ac\u00a3#]"
    r"|[-*](?=\s*\d)|(?<=[\d)])[-*]|(?<=\s)[-*](?=\s)|(?<=\b\w)[-*](?=\w\b)"  # but not in "well-lit" or "**bold**"
)


def plain(text: str) -> str:
    """Words, numbers and the signs that change what is meant, in small letters; a text that has none of them stays."""
    return " ".join(_WORD.findall(text.lower())).replace("\u2212", "-") or text


def _identity(medium: Media) -> Hashable:
    # Reading every file to compare it would cost more than the filter; an offset tells media of one archive apart.
    if medium.path is not None:
        return medium.path, medium.offset
    content = medium.data if isinstance(medium.data, bytes) else medium.data.tobytes() if medium.data is not None else b""
    return hashlib.sha256(content).digest()


def everywhere(record: Record) -> Hashable:
    """The scope of `unique` over the whole run."""
    return ""


def near_duplicates(threshold: float = 90.0, window: int = 512) -> Operator:
    """Reject a question that is nearly one of the last `window` kept (0 to 100): for text-only data.

    The ratio counts the letters that both have in the same order, over all of both: a longer question that begins with an
    earlier one is another question.
    """
    from rapidfuzz import fuzz

    def run(records: Iterable[Record]) -> Iterator[Record]:
        kept: list[str] = []
        for record in records:
            if record.reject:
                yield record
                continue
            said = plain(record.turns[0].text)
            if any(fuzz.ratio(said, other) >= threshold for other in kept):
                yield record.rejected("near duplicate")
            else:
                # Rejected questions are not remembered: a chain of small changes would otherwise reject ever further ones.
                kept = [*kept[1 - window :], said]
                yield record

    return run


def noted_answer(name: str = "original") -> Operator:
    """Note the last answer before it is rewritten, for `close_to`: facts hold the answers to a record's other questions too."""
    return each(lambda record: record.with_note(name, record.turns[-1].text))


def close_to(original: Callable[[Record], str], least: float = 0.4) -> Operator:
    """Reject a rewritten answer that lost its meaning: token-set similarity to the original below `least` (0 to 1).

    Polite Flamingo compares sentence embeddings at 0.40; words stand in for them here. A rewriting may be as long as it likes:
    what counts is that the original's words are in it.
    """
    from rapidfuzz import fuzz

    def check(record: Record) -> Record:
        # The set ratio forgives what was added; the plain ratio would punish a longer, better answer.
        similarity = fuzz.token_set_ratio(plain(original(record)), plain(record.turns[-1].text)) / 100
        return record if similarity >= least else record.rejected("meaning lost", f"similarity {similarity:.2f}")

    return each(check)


def matches_picture(kit: Kit, least: float) -> Operator:
    """Reject a conversation whose answers resemble the picture less than `least`; passes all when no scorer was given."""

    def check(record: Record) -> Record:
        # Without a scorer the pipeline must still run, as it does on a laptop; the report says that nobody scored.
        if kit.scorer is None or not record.media:
            return record
        spoken = " ".join(turn.text for turn in record.turns if turn.role == "assistant")
        score = kit.scorer.score(record.media[0], spoken)
        return record if score >= least else record.rejected("unlike the picture", f"{score:.3f}")

    return each(check)


def needs_picture(kit: Kit, prompt: Prompt) -> list[Operator]:
    """Reject a multiple-choice question that the writer answers rightly without the picture (PMC-VQA).

    The guess is no data, so nothing in it can spoil the record: a refusal, or what names no letter, shows that the picture is
    needed. Only a question that the endpoint failed to take stays rejected, to be asked again.
    """
    ask = generate(kit.writer, prompt, lambda record, _, items: [record], kit.seed)

    def judge(record: Record) -> Record:
        if "question" not in record.notes or record.reason in ("endpoint", "picture", "missing"):
            return record  # not asked: rejected before, or not reached
        guess = letter_of(record.exchanges[-1].reply.text)
        right = guess is not None and guess == record.turns[-1].text.strip()
        return replace(record, reject="answerable without the picture" if right else "")

    def guess(records: Iterable[Record]) -> Iterator[Record]:
        return map(judge, ask(records))

    def with_question(record: Record) -> Record:
        options = "\n".join(f"{letter}: {choice}" for letter, choice in zip("ABCD", record.choices, strict=True))
        return record.with_note("question", f"{record.turns[0].text}\n{options}")

    return [each(with_question), guess]


_ENDED = r"(?=\W*$|\**[.:)\]\n]|,?\s+(?:because|since|as)\b)"
_FIRST_LETTER = re.compile(rf"\W*(?i:option\s+|letter\s+)?([A-D]){_ENDED}")
_NAMED_LETTER = re.compile(rf"\b(?i:answer(?:\s+is|\s+would\s+be)?[:*\s]*(?:option\s+|letter\s+)?)[*(\[\"']*([A-D]){_ENDED}")


def letter_of(text: str) -> str | None:
    """The option a free reply chooses: `C`, `C.`, `(C)`, `C: word`, or one that it calls its answer. "A dog" chooses none."""
    match = _FIRST_LETTER.match(text) or _NAMED_LETTER.search(text)
    return match.group(1) if match else None


def tidy(kit: Kit, *phrases: str, least: int = 1, most: int = 600) -> list[Operator]:
    """What nearly every pipeline ends with: leak words, answer length, duplicates, a person's decisions."""
    return [leak_words(*phrases), length(least, most), unique(), human(kit)]


def must(name: str, condition: Callable[[Record], bool]) -> Operator:
    """Reject what does not meet a condition of the method; `name` is the reason."""
    return each(lambda record: record if condition(record) else record.rejected(name))


def human(kit: Kit) -> Operator:
    """Apply a person's decisions from the review page; what nobody decided passes."""
    return each(lambda record: record if kit.decisions.get(record.id, True) else record.rejected("reviewer"))
