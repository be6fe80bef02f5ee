"""MSVD-QA: questions made from captions of short films (Xu et al., ACM Multimedia 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import medium, records, text_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.video_qa import film_sample, score_video_qa
from vistune.sample import Sample


@dataclass(frozen=True)
class MsvdQa:
    """The test split has 13,157 questions. `judgements` names replies of the judge `qa_match`, which most papers report."""

    judgements: str = ""
    video: str = "vid{video_id}.avi"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "test_qa.json", "videos": "video"})
    answer_form: ClassVar[str] = "one word"
    result_form: ClassVar[str] = '[{"id", "pred"}]'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": 37405, "pred": "They play."}]'})
    departs: ClassVar[str] = "exact match; `judgements` takes the judge `qa_match`, with our own words"

    def read(self, source: str) -> list[Sample]:
        """A sample a question."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["videos"]
        return [
            film_sample(
                whole_of(record, "id", where),
                text_of(record, "question", where),
                medium(folder, worded(self.video, video_id=str(whole_of(record, "video_id", where))), "video"),
                text_of(record, "answer", where),
                where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The prediction list of Video-ChatGPT's evaluation, by question id."""
        return result_list(content, "id", "pred")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Exact match, and the judge's grade where there are judgements."""
        return score_video_qa(samples, predictions, self.judgements)
