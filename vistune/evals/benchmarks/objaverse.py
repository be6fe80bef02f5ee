"""Objaverse as PointLLM evaluates it: 200 objects to be named and described (Xu et al., PointLLM, ECCV 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import prediction_of
from vistune.evals.judges.qa_match import QaMatch
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, list_of, medium, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions, score_judged
from vistune.sample import Sample

PROMPTS = {"classification": "What is this?", "captioning": "Caption this 3D model in detail."}


@dataclass(frozen=True)
class Objaverse:
    """The published numbers are a language model's: `judgements` names replies of the judge `qa_match`.

    Without them the caption metrics of the descriptions are the number; the similarities of embeddings that the release adds
    need models of their own and are not computed here.
    """

    task: Literal["classification", "captioning"] = "captioning"
    judgements: str = ""
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "PointLLM_brief_description_val_200_GT.json", "points": "objaverse_data"}
    )
    answer_form: ClassVar[str] = "a name, or a description"
    result_form: ClassVar[str] = '{"prompt", "results": [{"object_id", "ground_truth", "model_output"}]}'
    ids: ClassVar[str] = "`object_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "the results file": (
                '{"prompt": "Caption this.", "results": [{"object_id": "a1", '
                '"ground_truth": "A wooden chair with three legs.", "model_output": "A chair of wood."}]}'
            )
        }
    )
    departs: ClassVar[str] = (
        "the published numbers are GPT-4's; the release's BLEU and ROUGE are those of other packages, with other tokens"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample an object, its points in `{object_id}_8192.npy`."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["points"]
        samples = []
        for where, record in records(path):
            name, turns = text_of(record, "object_id", where), list_of(record, "conversations", where)
            answer = text_of(turns[1] if len(turns) > 1 else None, "value", where)
            question = PROMPTS[self.task]
            points = medium(folder, f"{name}_8192.npy", "points")
            samples.append(asked(name, question, [points], [answer], meta={"question": question}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The file that the official generation writes."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not isinstance(value.get("results"), list):
            return None
        return [
            prediction_of(record, "object_id", "model_output", f"{content.path}: result {index + 1}")
            for index, record in enumerate(value["results"])
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The judge's accuracy where there are judgements, then the caption metrics."""
        free = score_captions(samples, predictions, self.metrics)
        return score_judged(QaMatch(), samples, predictions, self.judgements, free) if self.judgements else free
