"""NLVR2: is a statement true of two photographs? (Suhr et al., ACL 2019)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import result_list, worded
from vistune.evals.metrics.groups import all_right, numbered
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, root_of, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import Sample

FILES = {"dev": "data/dev.json", "test": "data/test1.json"}


@dataclass(frozen=True)
class Nlvr2:
    """The development split has 6,982 statements on pairs of photographs, the public test split 6,967."""

    split: Literal["dev", "test"] = "dev"
    prompt: str = "{statement}\nIs the statement true of the two images? Answer true or false."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": FILES["dev"], "images": "dev"})
    answer_form: ClassVar[str] = "true or false"
    result_form: ClassVar[str] = "lines of `identifier,prediction`"
    ids: ClassVar[str] = "`identifier`, as `dev-850-0-0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"results.csv": "dev-850-0-0,True"})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a pair; `dev-850-0-1` shows `dev-850-0-img0.png` and `dev-850-0-img1.png`."""
        path = locate(source, FILES[self.split])
        folder = root_of(path, FILES[self.split]) / ("dev" if self.split == "dev" else "test1")
        return [
            asked(
                identifier,
                worded(self.prompt, statement=text_of(record, "sentence", where)),
                [medium(folder, f"{identifier.rpartition('-')[0]}-img{side}.png") for side in (0, 1)],
                [text_of(record, "label", where).lower()],
                meta={"statement": text_of(record, "sentence", where)},
                origin=where,
            )
            for where, record in records(path)
            for identifier in [text_of(record, "identifier", where)]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official evaluation's lines, or a list of `identifier` and `prediction`."""
        if content.form != "text":
            return result_list(content, "identifier", "prediction")
        lines = [line.rpartition(",") for line in content.value if line.strip()]
        if not lines or not all(identifier and answer.lower() in ("true", "false") for identifier, _, answer in lines):
            return None
        return [Prediction(identifier, answer) for identifier, _, answer in lines]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy, then consistency: the share of statements right on every pair they were asked of."""
        result = score_exact(samples, predictions, "gqa")
        statements = numbered([sample.meta["statement"] for sample in samples])
        consistency = 100 * float(all_right(result.items, statements).mean()) if samples else 0.0
        return replace(result, values={**result.values, "consistency": consistency}, clusters=statements)
