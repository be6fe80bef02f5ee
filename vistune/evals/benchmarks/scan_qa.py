"""ScanQA: questions about scanned rooms (Azuma et al., CVPR 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, records, text_of, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions, score_exact
from vistune.sample import Sample


@dataclass(frozen=True)
class ScanQa:
    """The validation split has 4,675 questions. The scene is ScanNet's mesh vertices, a `.ply` or `.npy` of points."""

    prompt: str = SHORT_ANSWER
    scene: str = "scans/{scene}/{scene}_vh_clean_2.ply"
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "ScanQA_v1.0_val.json", "scenes": "scans"})
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer_top10"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"question_id": "val-scene0011-0", "answer_top10": ["brown cabinet", "cabinet"]}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question."""
        path = locate(source, self.files["annotations"])
        return [
            asked(
                text_of(record, "question_id", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(path.parent, worded(self.scene, scene=text_of(record, "scene_id", where)), "points")],
                texts_of(record, "answers", where),
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, of which the first of ten answers counts; or a list with one `answer` each."""
        value = content.value
        if content.form != "json" or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if "answer_top10" not in value[0]:
            return result_list(content, "question_id", "answer")
        return [
            Prediction(text_of(record, "question_id", where), (texts_of(record, "answer_top10", where) or [""])[0])
            for index, record in enumerate(value)
            for where in [content.record(index)]
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Exact match first (EM@1), then the caption metrics."""
        exact = score_exact(samples, predictions, "raw")
        free = score_captions(samples, predictions, self.metrics)
        return replace(exact, rule=f"{exact.rule} {free.rule}", values={"EM@1": exact.headline, **free.values})
