"""Referring object classification on LVIS: what is at this place, one name or another (You et al., Ferret, ICLR 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.regions.boxes import unit_box
from vistune.evals.benchmark import answers, result_list
from vistune.evals.metrics.named_object import named_object
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, medium, numbers_of, records, text_of, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import MediaRef, Region, Sample, Text, Turn


@dataclass(frozen=True)
class ReferringClassification:
    """Ferret's list of LVIS objects with a wrong name each; the right name stands first in every second question.

    `rule`: `mentions` is the official one: the name or a synonym is in the reply, phrases that begin with no or not left out.
    """

    rule: str = "mentions"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "lvis_eval.jsonl", "images": "coco"})
    answer_form: ClassVar[str] = "one of the two names"
    result_form: ClassVar[str] = '{"id", "name", "synonyms", "text"} a line'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line of the answers file": (
                '{"id": 11, "name": "traffic_light", "synonyms": ["stoplight"], "text": "It is a stoplight."}'
            )
        }
    )
    departs: ClassVar[str] = "the right name stands first in every second question, where the official code draws the order"

    def read(self, source: str) -> list[Sample]:
        """A sample an object: `id`, `image_path`, `bbox` (xywh), `image_size`, `name`, `synonyms` and `neg_class`."""
        path = locate(source, self.files["annotations"])
        samples = []
        for number, (where, record) in enumerate(records(path)):
            size: Any = numbers_of(record, "image_size", 2, where)
            box = unit_box(numbers_of(record, "bbox", 4, where), where, (size[0], size[1]), "xywh", clip=True)
            name, other = text_of(record, "name", where), text_of(record, "neg_class", where)
            names = [name, other] if number % 2 == 0 else [other, name]
            ending = f" of the image a {names[0]} or a {names[1]}?".replace("_", " ")
            image = medium(path.parent / self.files["images"], text_of(record, "image_path", where))
            region = Region(box=box)
            sample = asked(
                key_of(record, "id", where), f"Is the object{ending}", [image], [name.replace("_", " ")], origin=where
            )
            turn = Turn("user", (MediaRef(0), Text("Is the object "), region, Text(ending)))
            meta = {"synonyms": texts_of(record, "synonyms", where)}
            samples.append(Sample(sample.id, sample.media, (turn,), (region,), sample.answers, (), meta, where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The lines that the official generation writes."""
        return result_list(content, "id", "text")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        names = [[sample.answers[0], *(str(one) for one in sample.meta["synonyms"])] for sample in samples]
        return named_object(answers(predictions), names, self.rule)
