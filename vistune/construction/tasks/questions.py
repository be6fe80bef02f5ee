"""A caption, questions by what they ask for (TDIUC's kinds), and a dialogue."""

from __future__ import annotations

import re

from vistune.construction.operators.template import Filled, Template, asked, describe
from vistune.construction.record import Record
from vistune.construction.tasks.wording import draw_of, five

# A question's kind, told by its words; TDIUC's own come from its annotators. The first that fits is taken.
_KINDS: tuple[tuple[str, str], ...] = (
    ("counting", r"^(?:how many|count|what is the number of)\b"),
    ("color", r"\bcolou?r\b"),
    ("sport_recognition", r"\b(?:sport|game)\b.*\b(?:play|being|is this)"),
    ("sentiment_understanding", r"\b(?:feel|feeling|mood|emotion|happy|sad|angry)\b"),
    ("utility_affordance", r"\b(?:used for|use of|purpose|can be used|helps?)\b"),
    ("activity_recognition", r"\bdoing\b|\bactivity\b"),
    ("scene_recognition", r"\b(?:room|scene|weather|season|indoors?|outdoors?|where was)\b"),
    ("object_presence", r"^(?:is|are) there\b|^(?:can|do) you see\b|^does the (?:picture|image|photo) show\b"),
    ("positional_reasoning", r"^where\b|\b(?:left|right|above|below|behind|in front)\b"),
    ("attribute", r"\b(?:what (?:shape|size|material|kind)|how (?:big|large|old|tall|small)|made of|small or large)\b"),
    ("object_recognition", r"^(?:what|which|name)\b"),
)


def kind_of(question: str) -> str | None:
    """TDIUC's kind of a question, None where its words tell none."""
    said = question.lower().strip()
    return next((name for name, pattern in _KINDS if re.search(pattern, said)), None)


def _of_kind(kind: str) -> Template:
    def fill(record: Record) -> list[Filled]:
        return [Filled.of(tell, question=ask) for ask, tell in record.facts.qa if kind_of(ask) == kind]

    subject = kind.replace("_", " ")
    return Template(f"VQA_{kind}", five("{question}", f"This task is about {subject}: {{question}}"), fill)


def _topical(name: str, first: str, second: str) -> Template:
    """Questions of records whose topic is the task: nothing in their words tells them from others."""

    def fill(record: Record) -> list[Filled]:
        known = record.facts.qa if record.meta.get("topic") == name else ()
        return [Filled.of(tell, question=ask) for ask, tell in known]

    return Template(name, five(first, second), fill)


def _read(record: Record) -> list[Filled]:
    """Questions whose answer is written in the picture."""
    words = {(item.label or "").lower() for item in record.facts.ocr}
    return [Filled.of(tell, question=ask) for ask, tell in record.facts.qa if tell.lower() in words]


def _dialogue(record: Record) -> list[Filled]:
    *before, last = record.facts.qa or (("", ""),)
    if not before:
        return []
    return [Filled.of(last[1], history=" ".join(f"{ask} {tell}" for ask, tell in before), question=last[0])]


def _open(record: Record) -> list[Filled]:
    """One question of each picture stands for the open ones."""
    known = list(record.facts.qa)
    return [Filled.of(tell, question=ask) for ask, tell in draw_of(record, "open").sample(known, min(1, len(known)))]


TASKS = (
    describe(five("Write one sentence about the picture.", "State what can be seen."), "image_caption"),
    Template("open-domain_VQA", five("{question}", "Answer this: {question}"), _open),
    asked(five("{question}", "Question: {question}"), "VQA"),
    *(_of_kind(kind) for kind, _ in _KINDS),
    Template("text_vqa", five("{question} The picture says it.", "Read, then answer: {question}"), _read),
    _topical("commonsense_VQA", "{question} Use common sense.", "Reason about the scene: {question}"),
    Template("visual_dialog", five("{history} {question}", "So far: {history} Now: {question}"), _dialogue),
)
