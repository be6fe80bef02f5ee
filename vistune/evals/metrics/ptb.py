"""Penn Treebank tokenisation as COCO's caption evaluation does it: tokens of a caption, lower-cased, punctuation dropped.

The reference is Stanford's PTBTokenizer 3.4.1 behind `pycocoevalcap`; its behaviour was measured on thousands of strings.
At every place the longest of a few patterns wins, the earlier of two equally long, and what a pattern looks ahead at
counts as its length. Quirks that show in scores are kept: a bracket becomes `-lrb-` (the evaluation drops only the
upper-case names, and case is gone by then), `!!` is a token although `!` is none, `cannot` is two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from html import unescape
from types import MappingProxyType
from typing import TypeAlias

from vistune.evals.metrics.ptb_words import (
    ALWAYS_ABBREVIATED,
    APOSTROPHE,
    BEFORE_NUMBER,
    KEPT_SYMBOLS,
    MARKS,
    NO_LETTERS,
    SENTENCE_STARTS,
    SPELLED,
    TICK,
    WITH_APOSTROPHE,
)

Reading: TypeAlias = Callable[[str], Sequence[str]]

DROPPED = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
_BRACKETS: Mapping[str, str] = MappingProxyType(
    {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
)

_L = rf"(?:(?!{NO_LETTERS})[^\W\d_]|[{MARKS}])"  # a letter
_LD = rf"(?:(?!{NO_LETTERS})[^\W_]|[{MARKS}])"  # a letter or digit
_NUM = r"(?:\d*(?:[.:,\u00ad\u066b\u066c]\d+)+|\d+)"
_WORD = rf"{_L}{_LD}*(?:[.!?]{_L}{_LD}*)*"
_PREFIXED = rf"(?:[dDoOlL]{TICK}{_LD})?{_LD}+"  # o'neil, d'ye
_HYPHENATED = rf"{_PREFIXED}(?:[-_\u058a\u2010\u2011]{_PREFIXED})*"
_SLASHED = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
_SPACE = "[ \u00a0]"
_END = "(?![A-Za-z])"


def _same(text: str) -> Sequence[str]:
    return (text,)


def _nothing(text: str) -> Sequence[str]:
    return ()


def _spelled(text: str) -> Sequence[str]:
    return (SPELLED[text],)


def _ampersand(text: str) -> Sequence[str]:
    return (text.replace("&amp;", "&"),)


def _straight(text: str) -> Sequence[str]:
    """A clitic with a straight apostrophe."""
    return (re.sub(APOSTROPHE, "'", text).replace("\u2018", "`"),)


def _cut(position: int) -> Reading:
    return lambda text: (text[:position], text[position:])


def _joined(text: str) -> Sequence[str]:
    """Spaces within a token do not separate; brackets within one are named."""
    return ("".join(_BRACKETS.get(letter, letter) for letter in text).replace(" ", "\u00a0"),)


# What a pattern looks ahead at after its group counts as length, but is not taken.
_RULES: tuple[tuple[str, Reading], ...] = (
    (r"(</?[A-Za-z][A-Za-z0-9_:.-]*(?:\s[^>]{0,999})?/?>|<[!?][A-Za-z-][^>]{0,999}>)", _joined),
    (rf"(?i:(cannot)){_END}", _cut(3)),
    (rf"(?i:(gonna|gotta|lemme|gimme|wanna)){_END}", _cut(3)),
    (rf"(?i:({APOSTROPHE}t(?:is|was))){_END}", _cut(2)),
    (r"(https?://[^\s\"<>|(){}]+[^\s\"'<>|.!?(){},-])", _same),
    (r"(www\.(?:[^\s\"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}(?:/[^\s\"<>|()]+[^\s\"<>|.!?(){},-])?)", _same),
    (r"((?:[^\s\"`'|!(){}$,-_]{1,254}\.)+(?:com|net|org|edu)(?:/[^\s\"<>|()]+[^\s\"<>|.!?(){},-])?)", _same),
    (r"([a-zA-Z0-9][^\s\"<>|(){}]{0,254}@(?:[^\s\"<>|(){}.]{1,254}\.)*[^\s\"<>|(){}.]+)", _same),
    (r"(@[a-zA-Z_][a-zA-Z_0-9]*|#[^\W\d_]+)", _same),
    (rf"({_WORD})", _same),
    (rf"({_HYPHENATED})", _same),
    (r"([A-Za-z0-9][A-Za-z0-9.,]{0,254}(?:-(?:[A-Za-z](?:\.[A-Za-z])+\.|[A-Za-z0-9]+))+)", _same),
    (rf"({_SLASHED}(?:\\?/{_SLASHED}){{1,2}})", _same),
    (r"([A-Z]+(?:(?:&amp;|[+&])[A-Z]+)+)", _ampersand),
    (r"([Cc]\+\+|[CcFf]#)", _same),
    (rf"([A-Za-z]*[A-MO-Za-mo-z])(?=(?P<ahead>[nN]{TICK}[tT]))", _same),
    (rf"([nN]{TICK}[tT]){_END}", _straight),
    (rf"(?i:('(?:[msd]|re|ve|ll){_END}|[\u0092\u2019](?:[msd]|re|ve|ll)))", _straight),
    (rf"({WITH_APOSTROPHE})", _same),
    (rf"([A-HJ-XZn]{TICK}{_L}{{2,}}|{_L}+[aeiouyAEIOUY]{TICK}[aeiouA-Z]{_L}*)", _same),
    (rf"([yY]{APOSTROPHE})(?=(?P<ahead>{_L}))", _same),
    (rf"({APOSTROPHE}\d\d)(?=\s|$)", _same),
    (rf"([A-Za-z])(?=(?P<ahead>\.{_SPACE}+{SENTENCE_STARTS}(?:{_SPACE}|$)))", _same),
    (r"([A-Za-z](?:\.[A-Za-z])*\.|[A-Za-z](?:\.[A-Za-z])+)", _same),
    (rf"({ALWAYS_ABBREVIATED}\.)", _same),
    (rf"({BEFORE_NUMBER}\.)(?=(?P<ahead>{_SPACE}?\d))", _same),
    (rf"((?:{_WORD}|{_HYPHENATED})\.)(?=(?P<ahead>[,;:]))", _same),
    (rf"([-+]?{_NUM})", _same),
    (r"(\d{1,2}[-/]\d{1,2}[-/]\d{2,4})", _same),
    (r"((?:\d{1,4}[- \u00a0])?\d{1,4}(?:\\?/|\u2044)\d{1,4})", _joined),
    (
        rf"((?:\(\d{{2,3}}\){_SPACE}?|(?:\+\+?)?(?:\d{{2,4}}[- \u00a0])?\d{{2,4}}[-/ \u00a0])\d{{3,4}}[- \u00a0]?\d{{3,5}})",
        _joined,
    ),
    (r"([A-Z]*\$)", _same),
    (r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])(?![A-Za-z0-9])", _joined),
    (r"(-{5,})", _same),
    (r"(-+|''|``)", _nothing),
    (r"(\.{3,5}|(?:\.[ \u00a0]){2,4}\.)", _nothing),
    (r"(-(?:[LR](?:RB|SB|CB)|[lr](?:rb|sb|cb))-|&#\d+;)", _same),
    (r"((?:Canada|Sino|Korean|EU|Japan|non)-U\.S\.)", _same),
    (r"(\([-^x=~<>'][_.]?[-^x=~<>']\)|[-^x=~<>']_[-^x=~<>'])", _joined),
    (r"(<<|>>|\*+|_+|@+|#+|[?!]+)", _same),
    (r"(&(?:quot|apos|nbsp);)", _nothing),
    (r"(&amp;|&lt;|&gt;)", lambda text: (unescape(text),)),
    (r"([()\[\]{}])", _joined),
    (f"([{''.join(SPELLED)}])", _spelled),
    (f"([{KEPT_SYMBOLS}])", _same),
    (r"(\s+|.)", _nothing),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), reading, "?P<ahead>" in pattern) for pattern, reading in _RULES)

# A word that reads the same wherever it stands: no digit, tag or full stop that could belong to what comes next.
_FREE = re.compile(r"[^\s\d<.]+|[A-Za-z]{2,}\.|\.")
_WORD_SPAN = re.compile(r"\S+")
_CALLED = re.compile(rf"{BEFORE_NUMBER}\.")


def tokenize(text: str) -> list[str]:
    """Tokens of one caption, punctuation dropped. Line breaks of any kind are spaces."""
    kept: list[str] = []
    for word in text.split():
        tokens = _tokens_of_free(word)
        if tokens is None:
            return _tokens_in_place(text)
        kept += tokens
    return kept


def _tokens_in_place(text: str) -> list[str]:
    """`tokenize` where some words must be read with what follows them."""
    kept: list[str] = []
    place = 0
    for word in _WORD_SPAN.finditer(text):
        free = _tokens_of_free(word[0]) if place <= word.start() else None
        if free is not None:
            kept += free
            continue
        place = max(place, word.start())
        while place < word.end():
            found, place = _longest(text, place)
            kept += [token for token in found if token not in DROPPED]
    return kept


@lru_cache(1 << 16)
def _tokens_of_free(word: str) -> tuple[str, ...] | None:
    """The tokens of a word that stands alone, `None` for one that its neighbours may change."""
    if _FREE.fullmatch(word) is None or _CALLED.fullmatch(word):
        return None
    return tuple(token for token in lex(word) if token not in DROPPED)


def lex(text: str) -> list[str]:
    """Every token, lower-cased, punctuation included."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        found, place = _longest(text, place)
        tokens += found
    return tokens


def _longest(text: str, place: int) -> tuple[list[str], int]:
    """What stands at a place, and the place after it."""
    longest, taken = 0, place + 1
    reading: Reading = _nothing
    for pattern, candidate, looks_ahead in _COMPILED:
        found = pattern.match(text, place)
        if found is not None:
            length = (found.end("ahead") if looks_ahead else found.end()) - place
            if length > longest:
                longest, taken, reading = length, found.end(1), candidate
    return [token.replace("\u00ad", "").lower() for token in reading(text[place:taken])], taken
