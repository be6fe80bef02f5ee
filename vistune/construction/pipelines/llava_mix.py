"""LLaVA-1.5's tuning mixture (665K): academic sets as conversations, with the form of the answer said where it is short.

Each set is a run of its own, with `--data` and the facts that it has; `RATIOS` are the sizes to mix their results by.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.augment import merge_turns, state_format
from vistune.construction.operators.filters import count_words, human, length, unique
from vistune.construction.operators.place import ground
from vistune.construction.operators.template import Filled, Template, asked, templates
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator, Record, each, of_task, when

RATIOS = {
    "LLaVA": 158,
    "ShareGPT": 40,
    "VQAv2": 83,
    "GQA": 72,
    "OKVQA": 9,
    "OCRVQA": 80,
    "A-OKVQA": 66,
    "TextCaps": 22,
    "RefCOCO": 48,
    "VG": 86,
}
"""Thousands of conversations of each set (table 7)."""
WORD = "Answer the question using a single word or phrase."
LETTER = "Answer with the option's letter from the given choices directly."
SENTENCE = "Provide a one-sentence caption for the provided image."
DESCRIBE = "Provide a short description for this region."
LOCATE = "Provide the bounding box coordinate of the region this sentence describes."
"""The forms that the released files say (table 7), which a model is asked with in evaluation, too."""
REGIONS = 10  # of a picture, at most, in one conversation
TURNS = 100
SHORT = 3  # words; longer answers are no "single word or phrase"
_BOX = Notation("unit")
_OPTIONS = re.compile(r"^A[.:)] .*^B[.:)] ", re.MULTILINE | re.DOTALL)


def _caption(record: Record) -> list[Filled]:
    """TextCaps: the words that were read stand under the request."""
    read = " ".join(item.label or "" for item in record.facts.ocr)
    return [Filled.of(text, read=f"\nReference OCR token: {read}" if read else "") for text in record.facts.captions[:1]]


def _regions(seed: int) -> tuple[Template, Template]:
    """Half of a picture's phrases are to be found, half of its boxes to be described, by chance."""

    def half(record: Record, locate: bool) -> list[Filled]:
        draw = random.Random(f"{seed}:regions:{record.id}")
        known = [item for item in (*record.facts.regions, *record.facts.objects) if item.label]
        chosen = [(item, draw.random() < 0.5) for item in draw.sample(known, min(REGIONS, len(known)))]
        kept = [item for item, found in chosen if found == locate]
        names = [item.label for item in known]
        if locate:  # a name that two things have is no expression for one of them
            kept = [item for item in kept if names.count(item.label) == 1]
            return [Filled.of(_BOX.write(item.bounds()), name=item.label or "") for item in kept]
        return [Filled.of(item.label or "", box=_BOX.write(item.bounds())) for item in kept]

    return (
        Template("locate", (f"{LOCATE}\n{{name}}",), lambda record: half(record, True)),
        Template("describe", (f"{DESCRIBE}\n{{box}}",), lambda record: half(record, False)),
    )


def _lettered(record: Record) -> bool:
    return _OPTIONS.search(record.turns[0].text) is not None


def _terse(record: Record) -> bool:
    return not _lettered(record) and all(count_words(answer) <= SHORT for _, answer in record.pairs())


def steps(kit: Kit) -> list[Operator]:
    """Questions, a caption and regions of a picture, in this order, as one conversation."""
    question = of_task("vqa")
    return [
        templates(
            asked(("{question}",), "vqa"),
            Template("caption", (f"{SENTENCE}{{read}}",), _caption),
            *_regions(kit.seed),
            seed=kit.seed,
        ),
        when(question, state_format(LETTER, _lettered)),
        when(question, state_format(WORD, _terse)),
        ground(),
        merge_turns(TURNS),
        each(lambda record: replace(record, task="")),  # which is of many
        length(),
        unique(),
        human(kit),
    ]


PIPELINE = Pipeline(
    "LLaVA-1.5's mixture (Liu et al., Improved Baselines with Visual Instruction Tuning, 2023, table 7)",
    ("qa or captions or objects or regions",),
    "a picture's questions, caption and regions as one conversation, with the answers' form",
    steps,
    deviations="one picture's boxes are up to ten, drawn once; A-OKVQA's repetition for each choice is the mixture's `repeat`",
)
