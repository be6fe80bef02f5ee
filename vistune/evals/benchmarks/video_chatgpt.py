"""Video-ChatGPT's benchmark: free answers about ActivityNet films, five scores (Maaz et al., ACL 2024)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list, worded
from vistune.evals.judges.video_chatgpt import VideoChatgpt as Judge
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_judged
from vistune.sample import Sample


@dataclass(frozen=True)
class VideoChatgpt:
    """About 2,000 generic questions and 500 each on time and on consistency, for 500 films.

    The number is the judge's: `judgements` names the replies of `vistune judge video_chatgpt`.
    """

    judgements: str = ""
    video: str = "{video_name}.mp4"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "generic_qa.json",
            "temporal": "temporal_qa.json",
            "consistency": "consistency_qa.json",
            "videos": "Test_Videos",
        }
    )
    answer_form: ClassVar[str] = "one or more sentences"
    result_form: ClassVar[str] = '[{"id", "pred"}]'
    ids: ClassVar[str] = (
        "`<part>_<number from 0>`, of consistency `..._1` and `..._2`; the parts are generic, temporal and consistency"
    )
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": "generic_0", "pred": "A man clears snow."}]'})
    departs: ClassVar[str] = "our own words ask the judge, once for each aspect"

    def read(self, source: str) -> list[Sample]:
        """A sample a question, `<part>_<number from 0>`; a consistency record makes two, `..._1` and `..._2`."""
        return list(self._samples(locate(source, self.files["annotations"])))

    def _samples(self, path: Path) -> Iterator[Sample]:
        for part, keys in {"generic": ("Q",), "temporal": ("Q",), "consistency": ("Q1", "Q2")}.items():
            for number, (where, record) in enumerate(records(path.with_name(f"{part}_qa.json"))):
                name = worded(self.video, video_name=text_of(record, "video_name", where))
                film = medium(path.parent / self.files["videos"], name, "video")
                meta: dict[str, object] = {"part": part}
                for side, key in enumerate(keys, 1):
                    identifier = f"{part}_{number}" + (f"_{side}" if len(keys) > 1 else "")
                    meta |= {"pair": number} if len(keys) > 1 else {}
                    yield asked(
                        identifier, text_of(record, key, where), [film], [text_of(record, "A", where)], (), dict(meta), where
                    )

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A prediction list by our ids; the official one repeats the questions and has none."""
        return result_list(content, "id", "pred")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The mean of the five scores, then each of them, 0 to 5."""
        return score_judged(Judge(), samples, predictions, self.judgements)
