"""VQA v2: a questions file and an annotations file with ten answers a question, joined by `question_id`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vistune.files import write_json
from vistune.world.digits import Split
from vistune.world.exchange import plain
from vistune.world.formats.coco import info
from vistune.world.formats.picture import Picture
from vistune.world.instructions import converse

_TASKS = {
    "arithmetic": 1.0,
    "colour": 1.0,
    "comparison": 1.0,
    "count": 1.0,
    "existence_adversarial": 1.0,
    "existence_random": 1.0,
    "identity": 1.0,
    "reading": 1.0,
    "spatial": 1.0,
}
_QUESTIONS = 4  # a picture
_ANNOTATORS = 10


class Vqa:
    """Writes `vqa_questions.json` and `vqa_annotations.json`; ten annotators who agree, since the scene's truth is known."""

    def __init__(self) -> None:
        self._questions: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, picture: Picture) -> None:
        """Ask a picture's questions; `question_id` is the picture's number times a thousand plus the question's."""
        exchanges = converse(picture.scene, np.random.default_rng([picture.scene.seed, 2]), _QUESTIONS, _TASKS)
        for number, exchange in enumerate(exchanges):
            question, answer = plain(exchange.question), exchange.answers[0]
            identity = {"image_id": picture.number, "question_id": 1000 * picture.number + number}
            self._questions.append({**identity, "question": question})
            answers = [{"answer": answer, "answer_confidence": "yes", "answer_id": index + 1} for index in range(_ANNOTATORS)]
            self._annotations.append(
                {
                    **identity,
                    "question_type": " ".join(question.lower().split()[:2]),
                    "answer_type": _answer_type(exchange.topic, answer),
                    "multiple_choice_answer": answer,
                    "answers": answers,
                }
            )

    def write(self, folder: Path, split: Split) -> None:
        """Write both files."""
        common = {"info": info(split), "data_type": "world", "data_subtype": split, "license": {}}
        questions = {**common, "task_type": "Open-Ended", "questions": self._questions}
        write_json(folder / "vqa_questions.json", questions)
        write_json(folder / "vqa_annotations.json", {**common, "annotations": self._annotations})


def _answer_type(topic: str, answer: str) -> str:
    if answer in ("yes", "no"):
        return "yes/no"
    return "number" if topic.split()[0] in ("arithmetic", "count", "identity") else "other"
