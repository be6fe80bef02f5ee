"""ActivityNet-QA: questions that people asked about long films (Yu et al., AAAI 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import medium, records, root_of, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.video_qa import film_sample, score_video_qa
from vistune.sample import Sample


@dataclass(frozen=True)
class ActivitynetQa:
    """The test split has 8,000 questions on 800 films. `judgements` names replies of the judge `qa_match`."""

    judgements: str = ""
    video: str = "v_{video_name}.mp4"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "dataset/test_a.json", "questions": "dataset/test_q.json", "videos": "videos"}
    )
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"id", "pred"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": "v_1QIUV7WYKXg_3", "pred": "yes"}]'})
    departs: ClassVar[str] = "exact match; `judgements` takes the judge `qa_match`, with our own words"

    def read(self, source: str) -> list[Sample]:
        """A sample a question; answers and questions are two files."""
        path = locate(source, self.files["annotations"])
        questions = {
            text_of(record, "question_id", where): (where, record) for where, record in records(path.with_name("test_q.json"))
        }
        folder = root_of(path, self.files["annotations"]) / self.files["videos"]
        samples = []
        for where, record in records(path):
            identifier = text_of(record, "question_id", where)
            if identifier not in questions:
                raise InputError(f"{where}: question {identifier!r} is not in test_q.json beside it")
            place, question = questions[identifier]
            film = medium(folder, worded(self.video, video_name=text_of(question, "video_name", place)), "video")
            asked_text, answer = text_of(question, "question", place), text_of(record, "answer", where)
            samples.append(film_sample(identifier, asked_text, film, answer, where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The prediction list of Video-ChatGPT's evaluation."""
        return result_list(content, "id", "pred")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Exact match, and the judge's grade where there are judgements."""
        return score_video_qa(samples, predictions, self.judgements)
