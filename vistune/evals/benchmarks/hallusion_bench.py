"""HallusionBench: questions about figures and edited figures (Guan et al., CVPR 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_object
from vistune.errors import InputError
from vistune.evals.benchmark import field_of
from vistune.evals.metrics.hallusion_bench import Judgement, Question, hallusion_bench, judge_yes_no
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, medium, records, text_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import judged_before
from vistune.sample import Sample

_KEY = ("category", "subcategory", "set_id", "figure_id", "question_id")
JUDGED = "gpt4v_output_gpt_check"


@dataclass(frozen=True)
class HallusionBench:
    """Scored by a judge's verdict where a prediction carries one (the extra `judgement`: 0 wrong, 1 right, 2 unclear).

    Without verdicts the reply's first word decides; a file with some verdicts only is refused.
    """

    prompt: str = "{question}"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "HallusionBench.json", "images": "hallusion_bench"})
    answer_form: ClassVar[str] = "a sentence that begins with yes or no"
    result_form: ClassVar[str] = f'the questions with "model_prediction" and "{JUDGED}"'
    ids: ClassVar[str] = "`<category>_<subcategory>_<set_id>_<figure_id>_<question_id>`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": (
                '[{"category": "VS", "subcategory": "chart", "visual_input": "0", "set_id": "0", "figure_id": '
                '"0", "question_id": "0", "model_prediction": "Yes."}]'
            ),
        }
    )
    departs: ClassVar[str] = "without stored grades a rule reads the leading yes or no, where the authors ask GPT-4"

    def read(self, source: str) -> list[Sample]:
        """A sample a row, named by category, subcategory, set, figure and question."""
        path = locate(source, self.files["annotations"])
        samples = []
        for where, entry in records(path):
            record = as_object(entry, where)
            name = record.get("filename")
            samples.append(
                asked(
                    _identifier(record, where),
                    field_of(record, "question", where),
                    [medium(path.parent / self.files["images"], name)] if name else [],
                    [_truth(record, where)],
                    meta={key: label_of(record, key, where) for key in _KEY} | {"visual_input": _visual(record, where)},
                    origin=where,
                )
            )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official result file, before or after the judge."""
        value = content.value
        if content.form != "json" or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if not {*_KEY, "model_prediction"} <= value[0].keys():
            return None
        return [
            Prediction(
                _identifier(record, content.record(index)),
                text_of(record, "model_prediction", content.record(index)),
                extras={"judgement": _verdict(record[JUDGED], content.record(index))} if JUDGED in record else {},
            )
            for index, record in enumerate(value)
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """aAcc first, then qAcc, fAcc, easy, hard and the measures of yes bias."""
        questions = [_question(sample) for sample in samples]
        given = judged_before(predictions)
        if given is not None:
            return hallusion_bench(
                [None if verdict is None else _verdict(verdict, "a judgement") for verdict in given], questions
            )
        judgements: list[Judgement | None] = [
            None if p is None else judge_yes_no(p.answer, s.answers[0] == "yes")
            for s, p in zip(samples, predictions, strict=True)
        ]
        result = hallusion_bench(judgements, questions)
        return replace(result, rule="hallusionbench/yes-no-prefix", unparsed=sum(judgement == 2 for judgement in judgements))


def _identifier(record: Any, where: str) -> str:
    return "_".join(label_of(record, key, where) for key in _KEY)


def _truth(record: Any, where: str) -> str:
    truth = label_of(record, "gt_answer", where)
    if truth not in ("0", "1"):
        raise InputError(f"{where}: field 'gt_answer' holds {truth!r}, expected 0 (no) or 1 (yes)")
    return "yes" if truth == "1" else "no"


def _visual(record: Any, where: str) -> int:
    """0 without a figure, 1 with the original, 2 with an edited one."""
    visual = whole_of(record, "visual_input", where)
    if visual not in (0, 1, 2):
        raise InputError(f"{where}: field 'visual_input' holds {visual}, expected 0, 1 or 2")
    return visual


def _verdict(value: Any, where: str) -> Judgement:
    if str(value) not in ("0", "1", "2"):
        raise InputError(f"{where}: field {JUDGED!r} holds {value!r}, expected 0 (wrong), 1 (right) or 2 (unclear)")
    verdict: Judgement = (0, 1, 2)[int(value)]
    return verdict


def _question(sample: Sample) -> Question:
    category, subcategory, set_id, figure_id, question_id = (sample.meta[key] for key in _KEY)
    visual = sample.meta["visual_input"]
    return Question(category, subcategory, set_id, figure_id, question_id, visual, sample.answers[0] == "yes")
