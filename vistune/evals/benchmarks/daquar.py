"""DAQUAR: questions about indoor photographs (Malinowski & Fritz, NeurIPS 2014)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.metrics.wups import wups
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.sources import Content, locate, read_text
from vistune.evals.result import Result
from vistune.sample import Sample

_IMAGE = re.compile(r"\bin the image\d+\b|\bimage\d+\b")


@dataclass(frozen=True)
class Daquar:
    """The test images have 5,673 questions; several answers to one are separated by commas.

    `thresholds` adds WUPS at each of them (0.9 and 0.0 are customary); that needs nltk's WordNet.
    """

    split: Literal["train", "test"] = "test"
    thresholds: tuple[float, ...] = ()
    extension: str = "jpg"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "all_qa_pairs.txt",
            "images": "images",
            "test": "test_images_list.txt",
            "train": "train_images_list.txt",
        }
    )
    answer_form: ClassVar[str] = "a word, a number, or several separated by commas"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "`<image>:<number of the pair in its file, from 0>`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"question_id": "image1:0", "answer": "garbage bin"}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the split, `<image>:<number of the pair from 0>`; the prompt leaves the image's name out."""
        path = locate(source, self.files["annotations"])
        inside = set(read_text(path.with_name(self.files[self.split])).split())
        lines = [line.strip() for line in read_text(path).splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        if len(lines) % 2:
            raise InputError(f"{path} has {len(lines)} lines: the last question has no answer")
        samples = []
        for number in range(len(lines) // 2):
            question, truth, where = lines[2 * number], lines[2 * number + 1], f"{path}: line {2 * number + 1}"
            names = re.findall(r"\bimage\d+\b", question)
            if not names:
                raise InputError(f"{where}: the question names no image")
            if names[-1] in inside:
                prompt = worded(self.prompt, question=" ".join(_IMAGE.sub(" ", question).split()))
                picture = medium(path.parent / self.files["images"], f"{names[-1]}.{self.extension}")
                samples.append(asked(f"{names[-1]}:{number}", prompt, [picture], [_plain(truth)], origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question; the authors' code reads lines in the order of the questions."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy of the set of answers, then WUPS."""
        given = [None if prediction is None else _plain(prediction.answer) for prediction in predictions]
        truths = [sample.answers for sample in samples]
        accuracy = wups(given, truths, -1.0, _same)
        more = [wups(given, truths, threshold) for threshold in self.thresholds]
        values = {"accuracy": accuracy.headline} | {result.name: result.headline for result in more}
        return replace(accuracy, rule=" ".join(["daquar/accuracy", *(result.rule for result in more)]), values=values)


def _plain(answer: str) -> str:
    """Words of one answer are joined by `_` in the files."""
    return answer.replace("_", " ").strip().rstrip(".")


def _same(first: str, second: str) -> float:
    return float(first == second)
