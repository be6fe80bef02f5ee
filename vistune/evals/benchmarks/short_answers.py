"""Short answers of your own, scored by a metric that you name: for data sets that are no benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from vistune.data.fields.media_files import media_file
from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_object
from vistune.evals.metrics.anls import anls
from vistune.evals.metrics.cider_d import cider_d
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.metrics.inputs import chosen
from vistune.evals.metrics.relaxed_accuracy import relaxed_accuracy
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.reading.sources import Content, load
from vistune.evals.result import Result
from vistune.sample import Sample

Metric: TypeAlias = Callable[..., Result]

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "exact_match": exact_match,
        "vqa_accuracy": vqa_accuracy,
        "anls": anls,
        "relaxed_accuracy": relaxed_accuracy,
        "cider": cider_d,
    }
)


@dataclass(frozen=True)
class ShortAnswers:
    """`metric` is a name of `METRICS`, `rule` a variant of that metric (its default when empty)."""

    metric: str = "exact_match"
    rule: str = ""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "samples.jsonl"})
    answer_form: ClassVar[str] = "a word, number or phrase"
    result_form: ClassVar[str] = '{id: answer}, {"predictions": [answer, ...]} or [[target, answer], ...]'
    ids: ClassVar[str] = "the sample's `id`, the key of the JSON object, or the place in the list, from 1"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "an object": '{"a": "3"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """Our samples (JSONL with `answers`), `{id: answer or answers}`, `{"targets": [answers, ...]}` or pairs.

        Lists are named by position, from 1.
        """
        content = load(source)
        value = content.value
        if content.form == "jsonl" or (isinstance(value, dict) and {"id", "turns"} <= value.keys()):
            records = value if content.form == "jsonl" else [value]
            made = [Sample.from_json(record, content.record(index)) for index, record in enumerate(records)]
            return [_beside(sample, Path(source).parent) for sample in made]
        if _is_pairs(value):
            value = [target for target, _ in value]
        elif isinstance(value, dict) and "targets" in value:
            value = value["targets"]
        if isinstance(value, list):
            value = {str(number): accepted for number, accepted in enumerate(value, 1)}
        if content.form != "json" or not isinstance(value, dict):
            raise InputError(f"{source}: expected samples, an object of answers by id, or a list of answers")
        return [
            Sample(name, answers=_accepted(accepted, f"{source}: {name}"), origin=source) for name, accepted in value.items()
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Answers by id, by position, or beside their targets."""
        value = content.value
        if _is_pairs(value):
            value = [answer for _, answer in value]
        elif isinstance(value, dict) and "predictions" in value:
            value = value["predictions"]
        if isinstance(value, list) and all(isinstance(answer, str) for answer in value) and content.form == "json":
            return [Prediction(str(number), answer) for number, answer in enumerate(value, 1)]
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The metric named."""
        metric = chosen(METRICS, self.metric, "short answers")
        rule = {"rule": self.rule} if self.rule else {}
        if rule and self.metric in ("relaxed_accuracy", "cider"):
            raise InputError(f"the metric {self.metric!r} has one rule only: leave 'rule' out")
        return metric(answers(predictions), [sample.answers for sample in samples], **rule)


def _beside(sample: Sample, folder: Path) -> Sample:
    """The sample with relative paths of media taken from the folder of its file, as the reader `samples` takes them."""
    media = tuple(
        medium
        if medium.path is None or Path(medium.path).is_absolute()
        else replace(medium, path=media_file(medium.kind, folder, medium.path, sample.where).path)
        for medium in sample.media
    )
    return replace(sample, media=media)


def _is_pairs(value: Any) -> bool:
    """A list of [target, answer] texts."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in value)
    )


def _accepted(value: Any, where: str) -> tuple[str, ...]:
    accepted = [value] if isinstance(value, str) else value
    if not isinstance(accepted, list) or not all(isinstance(text, str) for text in accepted):
        raise InputError(f"{where} holds {value!r}, expected an answer or a list of answers")
    return tuple(accepted)
