"""TabFact: is a statement entailed or refuted by a table? (Chen et al., ICLR 2020)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked
from vistune.evals.reading.sources import Content, beneath, load_json, locate, read_text
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import Sample


@dataclass(frozen=True)
class TabFact:
    """The test split has 12,779 statements about 1,695 tables, which are shown as text."""

    prompt: str = "Table: {caption}\n{table}\n\nStatement: {statement}\nIs the statement true? Answer yes or no."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "tokenized_data/test_examples.json", "tables": "data/all_csv"}
    )
    answer_form: ClassVar[str] = "yes or no"
    result_form: ClassVar[str] = '[{"id", "prediction"}]'
    ids: ClassVar[str] = "`<table>_<number of the statement, from 0>`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"id": "2-1859269-1.html.csv_0", "prediction": "yes"}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a statement, `<table>_<number from 0>`; the file maps tables to statements, labels and a caption."""
        path = locate(source, self.files["annotations"])
        examples = load_json(path)
        if not isinstance(examples, dict):
            raise InputError(f"{path}: expected an object that maps tables to their statements")
        samples = []
        for name, entry in examples.items():
            where = f"{path}: table {name}"
            lists = isinstance(entry, list) and len(entry) == 3 and all(isinstance(part, list) for part in entry[:2])
            if not lists or len(entry[0]) != len(entry[1]):
                raise InputError(f"{where}: expected [statements, as many labels, caption]")
            statements, labels, caption = entry
            table = read_text(Path(beneath(path.parent.parent / self.files["tables"], name))).strip().replace("#", " | ")
            for number, (statement, label) in enumerate(zip(statements, labels, strict=True)):
                if label not in (0, 1):
                    raise InputError(f"{where}: label {label!r} is neither 0 (refuted) nor 1 (entailed)")
                prompt = worded(self.prompt, caption=caption, table=table, statement=statement)
                samples.append(asked(f"{name}_{number}", prompt, (), ["yes" if label else "no"], origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by statement id; the authors publish no format of their own."""
        return result_list(content, "id", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy of a plain yes or no."""
        return score_exact(samples, predictions, "gqa")
