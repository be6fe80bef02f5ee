"""Temporal grounding: recall of spans of seconds (Gao et al., TALL, ICCV 2017)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

Span: TypeAlias = tuple[float, float]
THRESHOLDS = (0.5, 0.3, 0.7)
_TIME = re.compile(r"(?<![\w.])(?:(\d{1,3}):(\d{2})(?::(\d{2}))?|(\d+(?:\.\d+)?))(?![\w:]|\.\d)")


def span_in(reply: str) -> Span | None:
    """The first two times of a reply, in seconds or as minutes:seconds, the earlier first; `None` with fewer than two."""
    times = []
    for hours, minutes, seconds, plain in _TIME.findall(re.sub(r"(\d)\s*(?:seconds|second|secs|sec|s)\b", r"\1 ", reply)):
        clock = [int(part) for part in (hours, minutes, seconds) if part]
        times.append(float(plain) if plain else float(sum(part * 60**place for place, part in enumerate(reversed(clock)))))
    return (min(times[:2]), max(times[:2])) if len(times) >= 2 and all(map(math.isfinite, times[:2])) else None


def span_iou(first: Span, second: Span) -> float:
    """Shared seconds over those of either; 0 where both are empty."""
    united = max(first[1], second[1]) - min(first[0], second[0])
    return max(0.0, min(first[1], second[1]) - max(first[0], second[0])) / united if united > 0 else 0.0


def temporal_recall(predictions: Sequence[Span | None], references: Sequence[Span]) -> Result:
    """R@1 at IoU .5, .3 and .7 in percent, then mean IoU. `None` is a missing span and wrong.

    The union is that of the hull, from the earliest start to the last end, as the official evaluation takes it.
    """
    ious = np.array([0.0 if span is None else span_iou(span, truth) for span, truth in aligned(predictions, references)])
    recalls = {f"R@1 IoU={level}": np.where(ious >= level, 100.0, 0.0) for level in THRESHOLDS}
    first, *rest = recalls.items()
    means = {name: float(scores.mean()) if len(scores) else math.nan for name, scores in rest}
    means["mIoU"] = 100 * float(ious.mean()) if len(ious) else math.nan
    return Result.mean("temporal/tall", first[0], first[1], values=means, missing=missing(predictions))
