"""Tasks scored against three controls: the most frequent answer, the model shown another picture, the model before tuning.

A number alone says little: a yes-no question is half answered by a coin. What tuning taught is tuned minus aligned; what is
*seen* is tuned minus blind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vistune.evals.metrics.box_iou import box_accuracy
from vistune.evals.metrics.cider_d import cider_d
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.result import Result
from vistune.prompt.codec import Codec
from vistune.sample import Box, Region, Sample


def is_boxed(sample: Sample) -> bool:
    """Is the wanted answer a box?"""
    return any(isinstance(part, Region) for part in sample.turns[-1].parts)


def true_box(sample: Sample) -> Box:
    """The wanted box."""
    return next(part.bounds() for part in sample.turns[-1].parts if isinstance(part, Region))


def majority(samples: Sequence[Sample], training: Sequence[Sample], codec: Codec) -> list[str]:
    """The answer that training samples of the task have most often (of boxes: the mean one), for every sample."""
    if is_boxed(samples[0]):
        boxes = [true_box(sample) for sample in training]
        x1, y1, x2, y2 = (sum(edge) / len(boxes) for edge in zip(*boxes, strict=True))
        answer = codec.encode(Region(box=(x1, y1, x2, y2)))
    else:
        answer = Counter(sample.answers[0] for sample in training).most_common(1)[0][0]
    return [answer] * len(samples)


def measure(task: str, samples: Sequence[Sample], answers: Sequence[str], codec: Codec) -> Result:
    """Acc@0.5 where boxes are wanted, CIDEr-D for captions, exact match elsewhere."""
    if is_boxed(samples[0]):
        found = [next((region.box for region in codec.decode(answer) if region.box is not None), None) for answer in answers]
        unparsed = sum(box is None for box in found)
        return box_accuracy(found, [true_box(sample) for sample in samples], unparsed=unparsed)
    references = [list(sample.answers) for sample in samples]
    if task.endswith("caption"):
        return cider_d(list(answers), references)
    return exact_match(list(answers), references)
