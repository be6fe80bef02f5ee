"""MathVista: mathematics in figures, plots and photographs (Lu et al., ICLR 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_object
from vistune.errors import InputError
from vistune.evals.benchmark import field_of, worded
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import missing
from vistune.evals.metrics.math_vista import Problem, math_vista
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, text_of, texts_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample

_GROUPS = ("question_type", "answer_type", "language", "source", "category", "task", "context", "grade", "skills")


@dataclass(frozen=True)
class MathVista:
    """`rule`: `official` or `strict` of `math_vista`, or `stored`, the verdicts (`true_false`) of an official output file.

    What is compared is the short answer that a judge extracted (the extra `extraction`), or the whole answer without one.
    """

    rule: str = "official"
    prompt: str = "{question}"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "testmini.json", "images": "."})
    answer_form: ClassVar[str] = "a number, a list or an option"
    result_form: ClassVar[str] = '{pid: {"response", "extraction", ...}}'
    ids: ClassVar[str] = "`pid`, the problem's key in the file"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"an object": '{"1": {"response": "x is 1.2", "extraction": "1.2"}}'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a problem."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        if not isinstance(value, dict):
            raise InputError(f"{path}: expected an object that maps problem ids to problems")
        return [
            asked(
                identifier,
                worded(self.prompt, question=record.get("query") or text_of(record, "question", where)),
                [medium(path.parent, text_of(record, "image", where))],
                [text_of(record, "answer", where)],
                texts_of(record, "choices", where) if record.get("choices") is not None else (),
                meta={
                    "answer_type": field_of(record, "answer_type", where),
                    "precision": _whole(record.get("precision"), where),
                }
                | {"question_type": record.get("question_type")}
                | dict(as_object(record.get("metadata", {}), where, "'metadata'")),
                origin=where,
            )
            for identifier, entry in value.items()
            for where in [f"{path}: problem {identifier}"]
            for record in [as_object(entry, where)]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official output file, judged or not."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not value:
            return None
        if not all(isinstance(record, dict) and "response" in record for record in value.values()):
            return None
        return [
            Prediction(
                identifier,
                str(record["response"]),
                extras={key: record[key] for key in ("extraction", "true_false") if key in record},
            )
            for identifier, record in value.items()
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy first; by task, skill, source and so on in `details`."""
        result = (
            self._stored(predictions)
            if self.rule == "stored"
            else math_vista(
                [None if prediction is None else _extraction(prediction) for prediction in predictions],
                [Problem(s.answers[0], s.meta["answer_type"], s.choices, s.meta["precision"]) for s in samples],
                self.rule,
            )
        )
        groups = {name: group_means(result.items, [_as_list(s.meta.get(name)) for s in samples]) for name in _GROUPS}
        return replace(result, details=groups)

    def _stored(self, predictions: Sequence[Prediction | None]) -> Result:
        verdicts = [None if prediction is None else prediction.extras.get("true_false") for prediction in predictions]
        if all(verdict is None for verdict in verdicts):
            raise InputError("no prediction has a stored verdict ('true_false'): use the rule official or strict")
        without = sum(verdict is None for verdict in verdicts) - missing(predictions)
        return Result.mean("mathvista/stored", "accuracy", [100.0 * bool(verdict) for verdict in verdicts], unparsed=without)


def _whole(precision: Any, where: str) -> int | None:
    """Digits after the point; the release writes them as 1.0."""
    if precision is None:
        return None
    if not isinstance(precision, int | float) or precision != int(precision):
        raise InputError(f"{where}: precision {precision!r} is not a whole number")
    return int(precision)


def _extraction(prediction: Prediction) -> str:
    """The extracted answer as text; a judge that extracted nothing left an empty one."""
    value: Any = prediction.extras.get("extraction", prediction.answer)
    return "" if value is None else str(value)


def _as_list(value: Any) -> list[Any]:
    """A field of the metadata as the groups it names; what is neither text nor a number names none."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str | int | float)]
