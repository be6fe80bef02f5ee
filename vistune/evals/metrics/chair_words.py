"""Which of COCO's objects a caption names, as CHAIR reads it (Rohrbach et al., EMNLP 2018; OPERA's Python 3 version)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeAlias

from vistune.errors import InputError, MissingExtraError
from vistune.evals.metrics.wordnet import open_wordnet

Lemmas: TypeAlias = Callable[[str], list[str]]
Rule: TypeAlias = Literal["official", "words"]

_TWO_WORDS = """
motor bike,motor cycle,air plane,traffic light,street light,traffic signal,stop light,fire hydrant,stop sign,parking meter,
suit case,sports ball,baseball bat,baseball glove,tennis racket,wine glass,hot dog,cell phone,mobile phone,teddy bear,
hair drier,potted plant,laptop computer,stove top oven,home plate,train track
"""
_ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "animal", "cub")


def _pairs() -> dict[str, str]:
    """Two words that are one name -> the name they count as: 'baby bird' is a bird and no person, 'train track' nothing."""
    table = {name.strip(): name.strip() for name in _TWO_WORDS.split(",")}
    table |= {f"{age} {animal}": animal for age in ("baby", "adult") for animal in _ANIMALS}
    table |= {f"passenger {vehicle}": vehicle for vehicle in ("jet", "train")}
    return table | {"bow tie": "tie", "toilet seat": "toilet", "wine glas": "wine glass"}


PAIRS: Mapping[str, str] = MappingProxyType(_pairs())
_PAIRED = frozenset(word for pair in PAIRS for word in pair.split())

_WORD = re.compile(r"\w+(?:[-/]\w+)*|[^\w\s]")
# WordNet's noun endings. A form that WordNet lists itself stays when its singular is no shorter: `men` is no `man` to CHAIR.
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {"ses": "s", "ves": "f", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man", "ies": "y", "s": ""}
)
_IRREGULAR: Mapping[str, str] = MappingProxyType(
    {"men": "men", "geese": "geese", "vases": "vas", "women": "woman", "children": "child", "grandchildren": "grandchild"}
    | {"mice": "mouse", "calves": "calf", "knives": "knife", "wolves": "wolf"}
)
# Verb forms whose verb is an object's name. `skiing` is a verb unless a noun follows that makes it one, as in `skiing trip`.
_DONE: Mapping[str, str] = MappingProxyType({"seated": "seat", "tied": "tie"})
_DOING: Mapping[str, str] = MappingProxyType(
    {"skiing": "ski", "skateboarding": "skateboard", "snowboarding": "snowboard", "boating": "boat", "kayaking": "kayak"}
    | {"seating": "seat", "tying": "tie", "biking": "bike"}
)
_ITS_NOUNS = frozenset(
    {"area", "areas", "adventure", "session", "sessions", "trick", "tricks", "activity", "activities", "excursion", "stunt"}
    | {"competition", "destination", "event", "events", "option", "options", "space", "spaces", "arrangement", "arrangements"}
    | {"row", "rows", "skill", "skills", "ability", "abilities", "experience", "venue", "gear", "equipment", "trip", "lesson"}
    | {"slope", "resort", "environment", "image", "technique", "techniques", "spot", "spots", "trail", "trails", "course"}
)


def read_synonyms(lines: Sequence[str]) -> dict[str, str]:
    """`synonyms.txt`: an object and its synonyms a line, separated by a comma and one space, name -> object.

    A name behind two spaces keeps one, as in the official code, and so is never found (`cheesecake` is no cake to it).
    """
    groups = [line.strip().split(", ") for line in lines if line.strip()]
    return {name: group[0] for group in groups for name in group}


def mentioned(caption: str, synonyms: Mapping[str, str], lemmas: Lemmas | None = None) -> list[str]:
    """The objects a caption names, in order, once for every mention; `lemmas` gives its words reduced (by default
    `rule_lemmas`)."""
    words = rule_lemmas(caption, synonyms) if lemmas is None else lemmas(caption)
    named, place = [], 0
    while place < len(words):
        pair = " ".join(words[place : place + 2])
        named.append(PAIRS.get(pair, words[place]))
        # A pair swallows both words: the second of "hot dog" must not be a dog.
        place += 2 if pair in PAIRS else 1
    # The official code deletes `seat` wherever a toilet was named, so that "toilet seat" is one object.
    if "toilet" in named:
        named = [word for word in named if word != "seat"]
    return [synonyms[word] for word in named if word in synonyms]


def rule_lemmas(caption: str, synonyms: Mapping[str, str]) -> list[str]:
    """Words reduced as far as the list of names asks: nouns to WordNet's singular, some verb forms by what follows them."""
    words = _WORD.findall(caption.lower())
    following = [*words[1:], ""]
    return [_verb(word, then) or _singular(word, synonyms) for word, then in zip(words, following, strict=False)]


def lemmas_of(rule: Rule) -> Lemmas | None:
    """How a rule of CHAIR reduces words; `None` is `rule_lemmas`."""
    return nltk_lemmas() if rule == "official" else None


@lru_cache(1)
def nltk_lemmas() -> Lemmas:
    """Words as the official code reduces them: nltk's part of speech, then the shortest of WordNet's lemmas under it.

    Raises `MissingExtraError` without nltk and `InputError` without its data or WordNet; nothing is downloaded here.
    """
    try:
        from nltk import pos_tag, word_tokenize
    except ImportError as error:
        raise MissingExtraError("nltk", "wordnet", "CHAIR's rule 'official'") from error
    kinds = {"J": "a", "V": "v", "N": "n", "R": "r"}
    try:
        pos_tag(word_tokenize("Two dogs sit."))
    except LookupError as error:
        raise InputError(
            "CHAIR's rule 'official' needs nltk's data: run  python -m nltk.downloader punkt_tab"
            " averaged_perceptron_tagger_eng wordnet  once, or say --set rule=words, which needs none and comes near"
        ) from error
    wordnet = open_wordnet("CHAIR's rule 'official'")

    def lemma(word: str, tag: str) -> str:
        # All that WordNet lists, which nltk's own lemmatizer asks for, too; its public `morphy` gives the first alone.
        found: list[str] = wordnet._morphy(word, kinds.get(tag[:1], "n"))
        # The shortest lemma, since the official lemmatiser chooses so among several.
        return min(found, key=len, default=word)

    def lemmas(caption: str) -> list[str]:
        return [lemma(word, tag) for word, tag in pos_tag(word_tokenize(caption.lower()))]

    return lemmas


def _verb(word: str, following: str) -> str | None:
    if word in _DOING and following in _ITS_NOUNS:
        return word
    return _DONE.get(word) or _DOING.get(word)


def _singular(word: str, synonyms: Mapping[str, str]) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    forms = [word.removesuffix(plural) + single for plural, single in _ENDINGS.items() if word.endswith(plural)]
    known = [form for form in (*forms, word) if form in synonyms or form in _PAIRED]
    return min(known, key=len, default=word)
