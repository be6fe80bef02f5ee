"""GQA: compositional questions made from scene graphs (Hudson & Manning, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_label, as_list, as_object
from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.gqa import GqaQuestion, gqa
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, text_of, texts_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, companion, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample

_LAST_STEPS = ("exist", "query: name", "choose name")  # only ask what the steps before found, and are no step of their own
_COMMON = frozenset({"color", "material", "shape"})


@dataclass(frozen=True)
class Gqa:
    """The balanced test-dev split has 12,578 questions. `val_all_questions.json` holds entailed ones, too, for consistency;
    `<tier>_choices.json` beside the questions adds validity and plausibility."""

    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "testdev_balanced_questions.json", "images": "images"}
    )
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"questionId", "prediction"}], or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = "the question's key in the file"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"questionId": "201307251", "prediction": "no"}]',
            "LLaVA's answers.jsonl": '{"question_id": "201307251", "prompt": "Is it overcast?", "text": "no"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the file maps question ids to questions."""
        path = locate(source, self.files["annotations"])
        questions = as_object(load_json(path), str(path), "the object that maps question ids to questions")
        folder = path.parent / self.files["images"]
        choices = companion(path, f"{path.name.partition('_')[0]}_choices.json")
        allowed = {} if choices is None else as_object(load_json(choices), str(choices), "the object that maps ids to choices")
        samples = []
        for identifier, record in questions.items():
            where = f"{path}: question {identifier}"
            question = _question(record, where)
            if choices is not None:
                question |= _allowed(allowed, identifier, question["detailed"], str(choices))
            samples.append(
                asked(
                    identifier,
                    worded(self.prompt, question=text_of(record, "question", where)),
                    [medium(folder, f"{text_of(record, 'imageId', where)}.jpg")],
                    [text_of(record, "answer", where)],
                    meta={"asked": question},
                    origin=where,
                )
            )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, or LLaVA's answers."""
        return result_list(content, "questionId", "prediction") or llava_answers(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy, then by type, and what else the questions allow."""
        return gqa(answers(predictions), [_evaluated(sample) for sample in samples])


def _question(record: Any, where: str) -> dict[str, Any]:
    """What the evaluation reads of a record, all but the answer; what is not there is empty."""
    question = text_of(record, "question", where)
    types = as_object(record.get("types") or {}, where, "'types'")
    groups = as_object(record.get("groups") or {}, where, "'groups'")
    steps = [
        as_object(step, where, "a step of 'semantic'") for step in as_list(record.get("semantic") or [], where, "'semantic'")
    ]
    said = [f"{step.get('operation')}: {step.get('argument')}" for step in steps]
    return {
        **{name: as_label(types.get(name) or "", where, f"{name!r}") for name in ("structural", "semantic", "detailed")},
        "answer_group": as_label(groups.get("global") or "", where, "'global'"),
        "steps": sum(not any(last in step for last in _LAST_STEPS) for step in said),
        "words": len(question.split()),
        "balanced": record.get("isBalanced", True) is not False,
        "entailed": [
            as_label(name, where, "an entailed id") for name in as_list(record.get("entailed") or [], where, "'entailed'")
        ],
    }


def _allowed(choices: Mapping[str, Any], identifier: str, detailed: str, where: str) -> dict[str, Any]:
    if "Common" in detailed:  # what two things have in common is a kind of property
        return {"valid": sorted(_COMMON), "plausible": sorted(_COMMON)}
    record = field_of(choices, identifier, where)
    return {name: texts_of(record, name, f"{where}: question {identifier}") for name in ("valid", "plausible")}


def _evaluated(sample: Sample) -> GqaQuestion:
    read = {name: value for name, value in sample.meta["asked"].items() if name != "detailed"}
    for name in ("valid", "plausible"):
        if name in read:
            read[name] = frozenset(read[name])
    return GqaQuestion(sample.id, sample.answers[0], **read | {"entailed": tuple(read["entailed"])})
