"""MME (Fu et al., MME, 2023): two yes/no questions an image, accuracy over questions plus accuracy over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vistune.evals.metrics.binary import precision_recall_f1
from vistune.evals.metrics.groups import numbered
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result

Reading: TypeAlias = Literal["yes", "no", "other"]

PERCEPTION = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
AREAS: Mapping[str, tuple[str, ...]] = MappingProxyType({"Perception": PERCEPTION, "Cognition": COGNITION})


def read_yes_no(reply: str) -> Reading:
    """The lower-cased reply itself, else the first of 'yes' and 'no' found within its first four characters."""
    reply = reply.lower()
    if reply in ("yes", "no"):
        return "yes" if reply == "yes" else "no"
    beginning = reply[:4]
    return "yes" if "yes" in beginning else "no" if "no" in beginning else "other"


def mme(predictions: Sequence[str | None], references: Sequence[bool], tasks: Sequence[str], images: Sequence[str]) -> Result:
    """Perception (of 2000) first, Cognition (of 800), their total; by task acc, acc+ and the rest in `details`.

    A task scores 100 x the share of right questions plus 100 x the share of images whose questions are all right.
    'other' and missing are wrong, and are left out of precision and recall. `images` name an image within its task.
    """
    read = [None if reply is None else read_yes_no(reply) for reply, _ in aligned(predictions, references)]
    right = np.array([answer == ("yes" if yes else "no") for answer, yes in zip(read, references, strict=True)], dtype=float)
    task, image = numbered(tasks), numbered(list(zip(tasks, images, strict=True)))
    names = list(dict.fromkeys(tasks))
    members = {area: [names.index(name) for name in inside if name in names] for area, inside in AREAS.items()}
    scores = _task_scores(right, task, image, np.ones((1, len(right))))
    details = {
        name: {"acc": acc, "acc+": plus, "score": acc + plus} | _binary(read, references, task == index)
        for index, (name, acc, plus) in enumerate(zip(names, scores[0, :, 0], scores[0, :, 1], strict=True))
    }
    areas = {area: float(scores[0, inside].sum()) for area, inside in members.items()}
    headline = members["Perception"] or list(range(len(names)))
    return Result(
        "mme/official",
        {**areas, "total": float(scores.sum())} if members["Perception"] else {"total": float(scores.sum()), **areas},
        100 * right,
        lambda weights: np.asarray(_task_scores(right, task, image, weights)[:, headline].sum(axis=(1, 2))),
        unit="",
        clusters=image,
        missing=missing(predictions),
        unparsed=sum(answer == "other" for answer in read),
        details=details,
    )


def _task_scores(right: Floats, task: NDArray[np.int64], image: NDArray[np.int64], weights: Floats) -> Floats:
    """`[B, tasks, 2]`: acc and acc+ in percent under weights that are equal within an image; 0 for a task not drawn."""
    count = int(task.max(initial=-1)) + 1
    by_task = np.eye(count)[task]
    whole = (np.bincount(image, right == 0) == 0)[image]
    # An image counts once however many questions it has.
    share = 1 / np.bincount(image)[image] if len(image) else np.ones(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        accuracy = (weights * right) @ by_task / (weights @ by_task)
        plus = (weights * whole * share) @ by_task / ((weights * share) @ by_task)
    scores: Floats = np.nan_to_num(100 * np.stack([accuracy, plus], axis=-1))
    return scores


def _binary(read: Sequence[Reading | None], references: Sequence[bool], inside: NDArray[np.bool_]) -> dict[str, float]:
    """Precision and recall of yes over the answers that could be read."""
    kept = [
        (answer == "yes", truth)
        for answer, truth, here in zip(read, references, inside, strict=True)
        if here and answer in ("yes", "no")
    ]
    precision, recall, _ = precision_recall_f1([said for said, _ in kept], [truth for _, truth in kept])
    return {"precision": precision, "recall": recall}
