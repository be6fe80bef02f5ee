"""SEED-Bench: multiple-choice questions on images and films in twelve dimensions (Li et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_label, as_object
from vistune.evals.benchmark import field_of, result_list, worded
from vistune.evals.metrics.groups import group_means
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.reading.annotations import asked, label_of, medium, offered, option_letter, options_of, records, text_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters, with_means
from vistune.sample import Media, MediaKind, Sample


@dataclass(frozen=True)
class SeedBench:
    """19,242 questions: 14,233 on images, 5,009 on films. LLaVA asks films by their middle frame; we show the film."""

    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "SEED-Bench.json", "images": "SEED-Bench-image", "videos": "SEED-Bench-video"}
    )
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"question_id", "prediction"}], or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = (
        "`question_id`; the second question under one id is `<question_id>#2`, and answered under the id itself"
    )
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line": '{"question_id": "101669", "prediction": "A"}',
            "LLaVA's answers.jsonl": '{"question_id": "101669", "prompt": "How many towels are in the image?", "text": "A"}',
        }
    )
    departs: ClassVar[str] = "films are shown whole; LLaVA shows their middle frame"

    def read(self, source: str) -> list[Sample]:
        """A sample a question, its dimension and kind of medium in `meta`."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        kinds = as_object(field_of(value, "question_type", str(path)), str(path), "'question_type'")
        names = {str(number): name for name, number in kinds.items()}
        seen: dict[str, int] = {}
        samples = []
        for where, record in records(path, "questions"):
            choices = options_of(as_object(record, where), {letter: f"choice_{letter}" for letter in "abcd"}, where)
            kind = _kind(record, where)
            media = self._media(path.parent, record, kind, where)
            # The official file gives some ids twice: an answer to the id is to both, two answers are one each.
            identifier = label_of(record, "question_id", where)
            times = seen[identifier] = seen.get(identifier, 0) + 1
            dimension = field_of(record, "question_type_id", where)
            samples.append(
                asked(
                    identifier if times == 1 else f"{identifier}#{times}",
                    worded(self.prompt, question=text_of(record, "question", where), options=offered(choices)),
                    media,
                    [option_letter(record, "answer", choices, where)],
                    choices,
                    {"dimension": names.get(str(dimension), str(dimension)), "kind": kind, "answered_as": identifier},
                    where,
                )
            )
        return samples

    def _media(self, root: Path, record: Any, kind: MediaKind, where: str) -> list[Media]:
        names = field_of(record, "data_id", where)
        folder = root / self.files["videos" if kind == "video" else "images"]
        listed = names if isinstance(names, list) else [names]
        return [medium(folder, as_label(name, where, "'data_id'"), kind) for name in listed]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The leaderboard's lines, or LLaVA's answers."""
        return result_list(content, "question_id", "prediction") or llava_answers(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all rows, over images and over films, then for each dimension."""
        result = score_letters(samples, predictions, "letter")
        kinds = group_means(result.items, [(sample.meta["kind"],) for sample in samples])
        return with_means(replace(result, values={**result.values, **kinds}), samples, "dimension")


def _kind(record: Any, where: str) -> MediaKind:
    return "video" if text_of(record, "data_type", where).lower().startswith("video") else "image"
