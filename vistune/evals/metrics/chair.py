"""CHAIR (Rohrbach et al., Object Hallucination in Image Captioning, EMNLP 2018): objects named that are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.metrics.ptb import tokenize
from vistune.evals.result import Result, ratio, weighted_mean

_TWO_WORDS = """
motor bike,motor cycle,air plane,traffic light,street light,traffic signal,stop light,fire hydrant,stop sign,parking meter,
suit case,sports ball,baseball bat,baseball glove,tennis racket,wine glass,hot dog,cell phone,mobile phone,teddy bear,
hair drier,potted plant,laptop computer,stove top oven,home plate
"""
_ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "animal", "cub")


def _pairs() -> dict[str, str]:
    """Two words that are one name -> the name they count as: 'baby bird' is a bird and no person."""
    table = {name.strip(): name.strip() for name in _TWO_WORDS.split(",")}
    table |= {f"{age} {animal}": animal for age in ("baby", "adult") for animal in _ANIMALS}
    table |= {f"passenger {vehicle}": vehicle for vehicle in ("jet", "train")}
    return table | {"bow tie": "tie", "toilet seat": "toilet"}


PAIRS: Mapping[str, str] = MappingProxyType(_pairs())
IRREGULAR: Mapping[str, str] = MappingProxyType(
    {"people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose"}
    | {"calves": "calf", "wolves": "wolf", "leaves": "leaf", "policemen": "policeman", "firemen": "fireman"}
)
_ENDINGS = (("ves", "fe"), ("ies", "y"), ("es", ""), ("s", ""))


def chair(
    predictions: Sequence[str | None],
    present: Sequence[frozenset[str]],
    synonyms: Mapping[str, str],
    headline: Literal["CHAIRs", "CHAIRi"] = "CHAIRs",
) -> Result:
    """CHAIRs (captions with any hallucination) and CHAIRi (hallucinated mentions over mentions) in percent; lower is better.

    `synonyms`: word -> object, the official `synonyms.txt`; `present[i]`: the objects in image i, from its segmentation and
    its reference captions (`mentioned`). A missing caption names nothing, and is counted as missing.
    """
    pairs = [(mentioned(caption or "", synonyms), objects) for caption, objects in aligned(predictions, present)]
    named = np.array([len(mentions) for mentions, _ in pairs], dtype=np.float64)
    wrong = np.array([sum(mention not in objects for mention in mentions) for mentions, objects in pairs], dtype=np.float64)
    any_wrong = np.where(wrong > 0, 100.0, 0.0)
    statistics = {"CHAIRs": weighted_mean(any_wrong), "CHAIRi": ratio(wrong, named, 100)}
    items = {"CHAIRs": any_wrong, "CHAIRi": 100 * np.divide(wrong, named, out=np.zeros(len(named)), where=named > 0)}
    everything = np.ones((1, len(named)))
    values = {name: float(statistic(everything)[0]) for name, statistic in statistics.items()}
    return Result(
        "chair/plural-rules",
        {headline: values[headline]} | values,
        items[headline],
        statistics[headline],
        missing=missing(predictions),
        details={"lower_is_better": True, "mentions": int(named.sum())},
    )


def mentioned(caption: str, synonyms: Mapping[str, str]) -> list[str]:
    """The objects a caption names, in order, once for every mention.

    Plurals are reduced by rules of our own to a word the list knows (the original uses the `pattern` library).
    """
    words = [_singular(word, synonyms) for word in tokenize(caption)]
    merged: list[str] = []
    while words:
        pair = " ".join(words[:2])
        merged.append(PAIRS.get(pair, words[0]))
        words = words[2:] if pair in PAIRS else words[1:]
    if "toilet" in merged:
        merged = [word for word in merged if word != "seat"]
    return [synonyms[word] for word in merged if word in synonyms]


def _singular(word: str, known: Mapping[str, str]) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in known or not word.endswith("s") or word.endswith("ss"):
        return word
    forms = [word.removesuffix(plural) + single for plural, single in _ENDINGS if word.endswith(plural)]
    return next((form for form in forms if form in known), forms[-1])


def read_synonyms(lines: Sequence[str]) -> dict[str, str]:
    """`synonyms.txt`: an object and its synonyms a line, separated by commas."""
    groups = [[word.strip() for word in line.split(",") if word.strip()] for line in lines]
    return {word: group[0] for group in groups for word in group}
