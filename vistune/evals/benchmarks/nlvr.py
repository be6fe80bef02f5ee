"""NLVR: is a statement true of drawn boxes of objects? (Suhr et al., ACL 2017)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, root_of, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import Sample

PERMUTATIONS = 6  # every statement is drawn with its three boxes in each of their orders


@dataclass(frozen=True)
class Nlvr:
    """The development split has 989 statements with six drawings each, the public test split 988.

    `all` makes a sample of every drawing, otherwise only of the first.
    """

    split: Literal["train", "dev", "test"] = "dev"
    all: bool = True
    prompt: str = "{statement}\nIs the statement true of the image? Answer true or false."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "dev/dev.json", "images": "dev/images"})
    answer_form: ClassVar[str] = "true or false"
    result_form: ClassVar[str] = '[{"identifier", "prediction"}]'
    ids: ClassVar[str] = "`<identifier>-<permutation>`, as `2371-0-0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"identifier": "2371-0-0", "prediction": "true"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a drawing, `<identifier>-<permutation>`."""
        relative = f"{self.split}/{self.split}.json"
        path = locate(source, relative)
        folder = root_of(path, relative) / self.split / "images"
        return [
            asked(
                f"{identifier}-{permutation}",
                worded(self.prompt, statement=text_of(record, "sentence", where)),
                [medium(folder, f"{record.get('directory', '')}/{self.split}-{identifier}-{permutation}.png".lstrip("/"))],
                [text_of(record, "label", where).lower()],
                origin=where,
            )
            for where, record in records(path)
            for identifier in [text_of(record, "identifier", where)]
            for permutation in range(PERMUTATIONS if self.all else 1)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by drawing."""
        return result_list(content, "identifier", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy of a plain true or false."""
        return score_exact(samples, predictions, "gqa")
