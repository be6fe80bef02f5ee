"""TGIF-QA: questions about GIFs that need time: repeated actions, transitions, counts, frames (Jang et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.judges.qa_match import QaMatch
from vistune.evals.metrics.counting import count_error
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER, SHORT_ANSWER
from vistune.evals.reading.annotations import asked, letter_of, medium, offered, rows, text_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact, score_judged, score_letters
from vistune.sample import Sample

OPTIONS = ("a1", "a2", "a3", "a4", "a5")


@dataclass(frozen=True)
class TgifQa:
    """Test questions: action 2,274, transition 6,232, count 3,554, frameqa 13,691.

    `action` and `transition` are accuracy over five options, `frameqa` accuracy, `count` the mean squared error of the number
    (a missing or unreadable one counts as 0). `judgements` names replies of the judge `qa_match`, which Video-ChatGPT and its
    successors report for `frameqa`.
    """

    task: Literal["frameqa", "action", "transition", "count"] = "frameqa"
    judgements: str = ""

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "dataset/Test_frameqa_question.csv", "videos": "gifs"}
    )
    answer_form: ClassVar[str] = "a word (frameqa), a letter (action, transition), a number (count)"
    result_form: ClassVar[str] = '[{"vid_id", "answer"}], or Video-ChatGPT\'s [{"id", "pred"}]'
    ids: ClassVar[str] = "`vid_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"vid_id": "FRAMEQA1159", "answer": "cookie"}]',
            "Video-ChatGPT's list": '[{"id": "FRAMEQA1159", "pred": "cookie"}]',
        }
    )
    departs: ClassVar[str] = (
        "the released models choose among known answers; free text is compared as it is, case and final periods aside"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a row of the tab-separated table."""
        path = locate(source, f"dataset/Test_{self.task}_question.csv")
        folder = path.parent.parent / self.files["videos"]
        samples = []
        for where, row in rows(path):
            film = medium(folder, f"{text_of(row, 'gif_name', where)}.gif", "video")
            options = [text_of(row, name, where) for name in OPTIONS] if self.task in ("action", "transition") else []
            question = text_of(row, "question", where)
            prompt = OPTION_LETTER if options else SHORT_ANSWER
            answer = letter_of(whole_of(row, "answer", where), options, where) if options else text_of(row, "answer", where)
            if self.task == "count":
                answer = str(whole_of(row, "answer", where))
            samples.append(
                asked(
                    text_of(row, "vid_id", where),
                    worded(prompt, question=question, options=offered(options))
                    if options
                    else worded(prompt, question=question),
                    [film],
                    [answer],
                    options,
                    meta={"question": question},
                    origin=where,
                )
            )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by the question's id."""
        return result_list(content, "vid_id", "answer") or result_list(content, "id", "pred")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The task's own number; with judgements the judge's first."""
        if self.task == "count":
            return count_error(answers(predictions), [int(sample.answers[0]) for sample in samples])
        if self.task != "frameqa":
            return score_letters(samples, predictions, "letter")
        exact = score_exact(samples, predictions, "gqa")
        return score_judged(QaMatch(), samples, predictions, self.judgements, exact) if self.judgements else exact
