"""Referring expression generation on RefCOCO/+/g (Yu et al., Modeling Context in Referring Expressions, ECCV 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, prediction_of
from vistune.evals.metrics.captions import captions
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import label_of, records, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class RefCocoCaptions:
    """A sample a referred object; its expressions are the references. `metrics` are those of `captions`."""

    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "refs.json"})
    answer_form: ClassVar[str] = "a noun phrase"
    result_form: ClassVar[str] = '{"predictions": [{"ref_id", "sent"}]}'
    ids: ClassVar[str] = "`ref_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"an object": '{"predictions": [{"ref_id": 10, "sent": "man in red"}]}'}
    )
    departs: ClassVar[str] = "METEOR only where it is named in `metrics`: it needs Java"

    def read(self, source: str) -> list[Sample]:
        """`[{"ref_id", "img_id", "refs": [expression, ...]}]`."""
        path = locate(source, self.files["annotations"])
        return [
            Sample(
                label_of(record, "ref_id", where),
                answers=tuple(texts_of(record, "refs", where)),
                meta={"image": label_of(record, "img_id", where)},
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The toolkit's result object."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not isinstance(value.get("predictions"), list):
            return None
        return [
            prediction_of(record, "ref_id", "sent", f"{content.path}: prediction {index + 1}")
            for index, record in enumerate(value["predictions"])
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D first; `details` say how many images got one expression for two of their objects."""
        result = captions(answers(predictions), [sample.answers for sample in samples], self.metrics)
        expressions: dict[str, list[str]] = {}
        for sample, prediction in zip(samples, predictions, strict=True):
            # `COCO_train2014_000000581282_10` is object 10 of its image.
            image = expressions.setdefault(str(sample.meta.get("image", sample.id)).rpartition("_")[0], [])
            image += [] if prediction is None else [prediction.answer]
        repeated = sum(len(set(image)) < len(image) for image in expressions.values())
        return replace(result, details={**result.details, "images_with_duplicates": repeated, "images": len(expressions)})
