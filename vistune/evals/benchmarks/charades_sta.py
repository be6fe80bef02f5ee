"""Charades-STA: when in a film a sentence holds, temporal grounding (Gao et al., TALL, ICCV 2017)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.metrics.temporal import Span, span_in, temporal_recall
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.sources import Content, locate, read_text
from vistune.evals.result import Result
from vistune.sample import Sample

_LINE = re.compile(r"(\S+) (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)##(.*)")


@dataclass(frozen=True)
class CharadesSta:
    """The test split has 3,720 sentences. R@1 at IoU .5, .3 and .7, and mean IoU, of the one span that a reply states."""

    prompt: str = "When does this happen in the video: {sentence}\nAnswer as start - end, in seconds."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "charades_sta_test.txt", "videos": "Charades_v1"})
    answer_form: ClassVar[str] = "two times in seconds: 3.2 - 10.5"
    result_form: ClassVar[str] = '[{"id", "answer"}], id the line of the annotation file, from 0'
    ids: ClassVar[str] = "the line of the annotation file, from 0"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": "0", "answer": "24.3 - 30.4"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a line `film start end##sentence`, named by its number."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["videos"]
        samples = []
        for number, line in enumerate(read_text(path).splitlines()):
            where = f"{path}: line {number + 1}"
            found = _LINE.fullmatch(line.strip())
            if found is None or float(found[2]) > float(found[3]):
                raise InputError(f"{where}: {line[:60]!r} is not  film start end##sentence,  the end behind the start")
            film, question = medium(folder, f"{found[1]}.mp4", "video"), worded(self.prompt, sentence=found[4])
            samples.append(asked(str(number), question, [film], [f"{found[2]} - {found[3]}"], origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by line; the authors publish no format."""
        return result_list(content, "id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """R@1 at IoU .5 first. A reply without two times is unparsed and wrong."""
        truths = [span for sample in samples for span in [span_in(sample.answers[0])] if span is not None]
        spans: list[Span | None] = [None if prediction is None else span_in(prediction.answer) for prediction in predictions]
        result = temporal_recall(spans, truths)
        return replace(result, missing=predictions.count(None), unparsed=spans.count(None) - predictions.count(None))
