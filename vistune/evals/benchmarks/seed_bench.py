"""SEED-Bench: multiple-choice questions on images and films in twelve dimensions (Li et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.lettered import lettered
from vistune.evals.annotations import asked, medium, records, text_of
from vistune.evals.benchmark import field_of, fill, result_list
from vistune.evals.metrics.groups import group_means
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters, with_means
from vistune.evals.sources import Content, load_json, locate
from vistune.sample import Media, Sample


@dataclass(frozen=True)
class SeedBench:
    """19,242 questions: 14,233 on images, 5,009 on films. LLaVA asks films by their middle frame; we show the film."""

    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "SEED-Bench.json", "images": "SEED-Bench-image", "videos": "SEED-Bench-video"}
    )
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"question_id", "prediction"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample a question, its dimension and kind of medium in `meta`."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        names = {number: name for name, number in field_of(value, "question_type", str(path)).items()}
        samples = []
        for where, record in records(path, "questions"):
            choices = [text_of(record, f"choice_{letter}", where) for letter in "abcd" if record.get(f"choice_{letter}")]
            media = self._media(path.parent, record, where)
            dimension = field_of(record, "question_type_id", where)
            samples.append(
                asked(
                    field_of(record, "question_id", where),
                    fill(self.prompt, question=text_of(record, "question", where), options=lettered(choices)),
                    media,
                    [text_of(record, "answer", where)],
                    choices,
                    {"dimension": names.get(dimension, str(dimension)), "kind": media[0].kind},
                    where,
                )
            )
        return samples

    def _media(self, root: Path, record: Any, where: str) -> list[Media]:
        names = field_of(record, "data_id", where)
        names = names if isinstance(names, list) else [names]
        film = text_of(record, "data_type", where).lower().startswith("video")
        folder = root / self.files["videos" if film else "images"]
        return [
            medium(folder, str(name), "video" if film else "image") for name in (names if isinstance(names, list) else [names])
        ]

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The leaderboard's lines."""
        return result_list(content, "question_id", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all rows, over images and over films, then for each dimension."""
        result = score_letters(samples, predictions, "letter")
        kinds = group_means(result.items, [(sample.meta["kind"],) for sample in samples])
        return with_means(replace(result, values={**result.values, **kinds}), samples, "dimension")
