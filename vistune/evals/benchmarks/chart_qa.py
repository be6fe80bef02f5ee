"""ChartQA: questions about charts, by people and by machine (Masry et al., Findings of ACL 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.relaxed_accuracy import relaxed_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, records, root_of, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import with_means
from vistune.sample import Sample

PARTS = ("human", "augmented")


@dataclass(frozen=True)
class ChartQa:
    """The test split has 1,250 questions of either part. A file named is read alone."""

    split: Literal["train", "val", "test"] = "test"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "test/test_human.json", "augmented": "test/test_augmented.json", "images": "test/png"}
    )
    answer_form: ClassVar[str] = "a number, or a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "`<part>/<number of the question in its file, from 0>`; the parts are human and augmented"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": "human/0", "answer": "14"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question, `<part>/<number from 0>`, where the part is the end of its file's name."""
        named = Path(source).is_file()
        samples = []
        for relative in [f"{self.split}/{self.split}_{part}.json" for part in PARTS][: 1 if named else None]:
            path = locate(source, relative)
            folder, part = root_of(path, relative) / self.split / "png", path.stem.rpartition("_")[2]
            for number, (where, record) in enumerate(records(path)):
                prompt = worded(self.prompt, question=text_of(record, "query", where))
                media, truth = [medium(folder, text_of(record, "imgname", where))], text_of(record, "label", where)
                samples.append(asked(f"{part}/{number}", prompt, media, [truth], meta={"part": part}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question; the authors publish no format of their own."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Relaxed accuracy over both parts, then of each."""
        return with_means(relaxed_accuracy(answers(predictions), [sample.answers for sample in samples]), samples, "part")
