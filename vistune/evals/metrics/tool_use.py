"""Success of tool use (Yang et al., GPT4Tools, NeurIPS 2023, section 4): whether, which, and with what arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vistune.evals.metrics.bleu import bleu
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

ARGUMENTS_RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Call:
    """What a step does: a tool with its arguments, or no tool (`tool` is `None`)."""

    tool: str | None
    arguments: tuple[str, ...] = ()


def tool_use(predictions: Sequence[Call | None], references: Sequence[Call], unparsed: int = 0) -> Result:
    """Overall success rate first, then of the decision (SR_t), the tool (SR_act) and the arguments (SR_args), in percent.

    A step succeeds when it decides rightly whether to use a tool, names the right one, and its arguments score over .5:
    the mean of their BLEU with the true ones, 1 for equal text. Where no tool is due there is nothing more to get wrong.
    `None` is a missing step; `unparsed` is how many the caller could not read (give those as `None` too).
    """
    steps = [_step(call, truth) for call, truth in aligned(predictions, references)]
    names = ("SR_t", "SR_act", "SR_args")
    means = {name: 100.0 * sum(step[index] for step in steps) / len(steps) for index, name in enumerate(names)} if steps else {}
    success = [100.0 * (decision == action == 1 and arguments > ARGUMENTS_RIGHT) for decision, action, arguments in steps]
    return Result.mean(
        "tool-use/gpt4tools", "SR", success, values=means, missing=missing(predictions) - unparsed, unparsed=unparsed
    )


def _step(call: Call | None, truth: Call) -> tuple[float, float, float]:
    if call is None:
        return 0.0, 0.0, 0.0
    if truth.tool is None or call.tool is None:
        right = float(truth.tool is None and call.tool is None)
        return right, right, right
    return 1.0, float(call.tool == truth.tool), _arguments(call.arguments, truth.arguments)


def _arguments(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Mean score of the arguments by position; one too many or too few scores 0."""
    count = max(len(ours), len(theirs))
    return sum(_text(one, two) for one, two in zip(ours, theirs, strict=False)) / count if count else 1.0


def _text(ours: str, theirs: str) -> float:
    return 1.0 if ours.strip() == theirs.strip() else float(bleu([ours], [[theirs]]).headline)
