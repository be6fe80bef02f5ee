"""Classification sets in the splits of CoOp (Zhou et al., IJCV 2022), which published numbers of CLIP's kind use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.classification import classification
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, list_of, medium
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class FewShotSplit:
    """`{"train", "val", "test": [[image, label, class name], ...]}` beside the folder of the images.

    `rule` is one of `classification`; the prompt lists every class.
    """

    split: str = "test"
    rule: str = "contains"
    prompt: str = "Which of these is in the image: {classes}? Answer with the name only."

    files: ClassVar[Mapping[str, str]]
    answer_form: ClassVar[str] = "a class's name"
    ids: ClassVar[str] = "the image's path below the images' folder"
    departs: ClassVar[str] = ""
    result_form: ClassVar[str] = '[{"image", "prediction"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample an image, named by its path."""
        path = locate(source, self.files["annotations"])
        value, where = load_json(path), str(path)
        names: dict[int, str] = {}
        for part in ("train", "val", "test"):
            for index, entry in enumerate(list_of(value, part, where)):
                if not isinstance(entry, list) or [type(item) for item in entry] != [str, int, str]:
                    raise InputError(f"{path}: {part} {index + 1}: expected [image, label, class name], found {entry!r}")
                if names.setdefault(entry[1], entry[2]) != entry[2]:
                    raise InputError(
                        f"{path}: {part} {index + 1}: label {entry[1]} is called both {names[entry[1]]!r} and {entry[2]!r}"
                    )
        if sorted(names) != list(range(len(names))):
            odd = next(label for label in names if not 0 <= label < len(names))
            raise InputError(
                f"{path}: label {odd} ({names[odd]!r}) is none of 0 to {len(names) - 1}, the numbers of {len(names)} classes"
            )
        if len(set(names.values())) < len(names):
            twice = next(name for name in names.values() if list(names.values()).count(name) > 1)
            labels = [label for label, name in names.items() if name == twice]
            raise InputError(f"{path}: labels {labels[0]} and {labels[1]} are both called {twice!r}")
        classes = [names[label] for label in sorted(names)]
        prompt = worded(self.prompt, classes=", ".join(classes).replace("_", " "))
        folder = path.parent / self.files["images"]
        return [
            asked(
                image,
                prompt,
                [medium(folder, image)],
                [name],
                meta={"classes": classes},
                origin=f"{path}: {self.split} {index}",
            )
            for index, (image, _, name) in enumerate(field_of(value, self.split, where), 1)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by image; there is no official format for text answers."""
        return result_list(content, "image", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy, then the mean over classes."""
        classes = samples[0].meta["classes"] if samples else ()
        return classification(answers(predictions), [sample.answers[0] for sample in samples], classes, self.rule)
