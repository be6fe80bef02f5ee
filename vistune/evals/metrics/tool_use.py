"""Success of tool use (Yang et al., GPT4Tools, NeurIPS 2023, section 4): that a tool is needed, its name, and its arguments.

A reply is lines of thought, of tools and of their arguments, one triple a step:

    Thought: Do I need to use a tool? Yes        Thought: Do I need to use a tool? No
    Action: Segment the Image                    AI: here it is
    Action Input: image/abc.png
    Observation:
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.bleu import bleu
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

ARGUMENTS_RIGHT = 0.5
PICTURE = ".png"

_THOUGHT = re.compile(r"Thought: Do I need to use a tool\? (.*)")
_ACTION = re.compile(r"Action: (.*)")
_INPUT = re.compile(r"Action Input: (.*)")
_REPLY = re.compile(r"AI: (.*)")


@dataclass(frozen=True, slots=True)
class Trace:
    """The lines of a reply, without the spaces around them."""

    thoughts: tuple[str, ...]
    actions: tuple[str, ...]
    inputs: tuple[str, ...]
    replies: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Trace:
        """The lines that a text holds; none is no error, since a model may write anything."""
        found = [tuple(line.strip() for line in pattern.findall(text)) for pattern in (_THOUGHT, _ACTION, _INPUT, _REPLY)]
        return cls(*found)

    @property
    def acts(self) -> bool:
        """Is a tool used, and said with what?"""
        return bool(self.actions and self.inputs)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a reply scores in thought, action and arguments, in [0, 1]; whether it succeeds; the overlap of its steps."""

    thought: float
    action: float
    arguments: float
    success: float
    iou: float


def tool_use(predictions: Sequence[str | None], references: Sequence[str]) -> Result:
    """Overall success rate first, then of the thought (SR_t), the tool (SR_act) and the arguments (SR_args), and the IoU of
    steps, in percent.

    Steps are compared by their place; one too many or too few is wrong. An argument that is a picture must be one, which does
    not matter; others score by BLEU-1. A reply succeeds when thoughts and tools are all right and the arguments score at least
    .5 (the paper writes over .5; this is the released code). `None` is a missing reply. Raises `InputError` for a reference
    whose tools and arguments are not equally many.
    """
    scores = [
        _scored(Trace.read(reply or ""), _reference(truth, i))
        for i, (reply, truth) in enumerate(aligned(predictions, references))
    ]
    columns = {"SR_t": "thought", "SR_act": "action", "SR_args": "arguments", "IoU": "iou"}
    means = {
        name: float(100 * np.mean([getattr(score, field) for score in scores])) if scores else float("nan")
        for name, field in columns.items()
    }
    said = [Trace.read(reply) for reply in predictions if reply is not None]
    return Result.mean(
        "tool-use/gpt4tools",
        "SR",
        [100 * score.success for score in scores],
        values=means,
        missing=missing(predictions),
        unparsed=sum(not trace.thoughts for trace in said),
    )


def score_trace(prediction: str, reference: str) -> Scored:
    """One reply against its reference. Raises `InputError` as `tool_use` does."""
    return _scored(Trace.read(prediction), _reference(reference, 0))


def _reference(text: str, index: int) -> Trace:
    truth = Trace.read(text)
    if truth.acts and len(truth.actions) != len(truth.inputs):
        raise InputError(f"reference {index + 1} names {len(truth.actions)} tools and {len(truth.inputs)} inputs, not as many")
    return truth


def _scored(said: Trace, truth: Trace) -> Scored:
    return _acting(said, truth) if truth.acts else _answering(said, truth)


def _answering(said: Trace, truth: Trace) -> Scored:
    """No tool is due: the first thought must be no, and something must be said."""
    thoughts = _equal(said.thoughts, truth.thoughts)
    thought = float(np.mean(thoughts)) if said.thoughts[:1] == ("No",) and said.replies else 0.0
    right = float(thought == 1)
    return Scored(thought, right, right, right, _overlap([thoughts], [truth.thoughts]))


def _acting(said: Trace, truth: Trace) -> Scored:
    wanted = truth.thoughts[: len(truth.actions)]
    thoughts = said.thoughts
    # Behind the last tool a model may think once more that it needs none.
    if len(thoughts) == len(said.actions) + 1 and thoughts[-1] == "No":
        thoughts = thoughts[:-1]
    parts = [
        _equal(thoughts, wanted),
        _equal(said.actions, truth.actions),
        _arguments(said.inputs, truth.inputs),
    ]
    thought, action, arguments = (float(np.mean(places)) if places else 0.0 for places in parts)
    success = float(thought == 1 and action == 1 and arguments >= ARGUMENTS_RIGHT)
    return Scored(thought, action, arguments, success, _overlap(parts, [wanted, truth.actions, truth.inputs]))


def _equal(said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    """1 for each place where both hold the same, 0 elsewhere, as many as the longer has."""
    places = [0.0] * max(len(said), len(wanted))
    for place, (ours, theirs) in enumerate(zip(said, wanted, strict=False)):
        places[place] = float(ours == theirs)
    return places


def _overlap(parts: Sequence[Sequence[float]], wanted: Sequence[Sequence[str]]) -> float:
    """The share of the wanted places that are right; places too many match none, and do not join the union either."""
    return sum(map(sum, parts)) / max(sum(map(len, wanted)), 1)


def _arguments(said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    places = [0.0] * max(len(said), len(wanted))
    for place, (ours, theirs) in enumerate(zip(said, wanted, strict=False)):
        pairs = list(zip(ours.split(","), theirs.split(","), strict=False))
        if ours.count(",") == theirs.count(","):
            scores = [_argument(one, two) for one, two in pairs]
            places[place] = 0.0 if None in scores else float(np.mean([score for score in scores if score is not None]))
    return places


def _argument(said: str, wanted: str) -> float | None:
    """The score of an argument, `None` where a picture is due and there is none."""
    if PICTURE in wanted:
        return 1.0 if PICTURE in said else None
    return float(bleu([said], [[wanted]], str.split).values["Bleu_1"])
