"""ModelNet40: which of forty kinds of object a point cloud is (Wu et al., CVPR 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.classification import classification
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.sources import Content, locate, read_text
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class ModelNet40:
    """The test split has 2,468 objects, in the `modelnet40_normal_resampled` download: 10,000 points with normals each.

    `rule` is one of `classification`. PointLLM's protocol has GPT-4 match the names; the judge `qa_match` does that.
    """

    rule: str = "contains"
    prompt: str = "Which of these is the object: {classes}? Answer with the name only."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "modelnet40_test.txt", "classes": "modelnet40_shape_names.txt"}
    )
    answer_form: ClassVar[str] = "a class's name"
    result_form: ClassVar[str] = '[{"id", "prediction"}]'
    ids: ClassVar[str] = "the object's name in the list of the split, as `airplane_0627`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"id": "airplane_0627", "prediction": "an airplane"}]'}
    )
    departs: ClassVar[str] = "a rule reads the name; the judge `qa_match` does what PointLLM's grader does"

    def read(self, source: str) -> list[Sample]:
        """A sample an object, named as in the list of the split: `airplane_0627` is `airplane/airplane_0627.txt`."""
        path = locate(source, self.files["annotations"])
        names = read_text(path.with_name(self.files["classes"])).split()
        prompt = worded(self.prompt, classes=", ".join(names).replace("_", " "))
        samples = []
        for number, identifier in enumerate(read_text(path).split(), 1):
            kind, where = identifier.rpartition("_")[0], f"{path}: line {number}"
            if kind not in names:
                raise InputError(f"{where}: {kind!r} is none of the {len(names)} classes of {self.files['classes']}")
            cloud = medium(path.parent, f"{kind}/{identifier}.txt", "points")
            samples.append(asked(identifier, prompt, [cloud], [kind], meta={"classes": names}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by object; the authors publish no format for text answers."""
        return result_list(content, "id", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        classes = samples[0].meta["classes"] if samples else ()
        return classification(answers(predictions), [sample.answers[0] for sample in samples], classes, self.rule)
