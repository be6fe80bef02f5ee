"""Captions of your own: text files of hypotheses and references, or JSON objects by image name.

The text layout is nlg-eval's (`hyp.txt`, `ref1.txt`, `ref2.txt`, ...), the JSON one CLIPScore's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_object
from vistune.evals.metrics.captions import captions
from vistune.evals.prediction import Prediction
from vistune.evals.reading.sources import Content, load
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class PlainCaptions:
    """`metrics` are those of `captions`; images have no files here, so nothing can be asked."""

    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "ref*.txt"})
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = "a caption a line, or {name: caption}"
    ids: ClassVar[str] = "the line's number, from 1, or the key of the JSON object"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "results.txt": "this is the model generated sentence1 which seems good enough",
            "an object": '{"1": "a dog on a beach"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """Line i of every `ref*.txt` of a folder, or of one text file, or the items of `{name: [caption, ...]}`."""
        content = load(source)
        if content.form == "folder":
            files = {name: held for name, held in content.value.items() if name.startswith("ref") and held.form == "text"}
            return _from_columns(source, {name: held.value for name, held in files.items()})
        if content.form == "text":
            return _from_columns(source, {content.path.name: content.value})
        return _from_object(source, content.value)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Lines of text are named by their number, from 1."""
        if content.form == "text":
            return [Prediction(str(number), line) for number, line in enumerate(content.value, 1)]
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D first."""
        return captions(answers(predictions), [sample.answers for sample in samples], self.metrics)


def _from_columns(source: str, columns: Mapping[str, list[str]]) -> list[Sample]:
    if not columns:
        raise InputError(f"{source}: has no ref*.txt")
    lengths = {name: len(lines) for name, lines in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{source}: the reference files differ in length: {lengths}")
    groups = zip(*columns.values(), strict=True)
    return [Sample(str(number), answers=group, origin=f"{source}: line {number}") for number, group in enumerate(groups, 1)]


def _from_object(source: str, value: Any) -> list[Sample]:
    if not isinstance(value, dict):
        raise InputError(f"{source}: expected an object that maps names to lists of captions")
    samples = []
    for name, group in value.items():
        if not isinstance(group, list) or not all(isinstance(caption, str) for caption in group):
            raise InputError(f"{source}: {name!r} holds {group!r}, expected a list of captions")
        samples.append(Sample(name, answers=tuple(group), origin=source))
    return samples
