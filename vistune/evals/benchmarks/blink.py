"""BLINK: fourteen tasks of visual perception (Fu et al., ECCV 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.data.fields.lettered import LETTERS
from vistune.errors import InputError, nearest
from vistune.evals.benchmark import result_list, result_object, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, pictures_of, text_of, texts_of
from vistune.evals.reading.hub import hub_rows, is_parquet
from vistune.evals.reading.sources import Content, load_json
from vistune.evals.result import Result
from vistune.evals.scorers import macro, score_letters, with_means
from vistune.sample import Sample


@dataclass(frozen=True)
class Blink:
    """The validation split has 1,901 questions; its answers are public. A question shows one to four images.

    - `official`: the evaluation compares a whole prediction with `(A)`, since a prediction was extracted from the reply
      before, by rule or by a language model; a letter alone is written so first
    - `extracted`: the rules of that extraction: the only option in brackets among the reply's words, or its last paragraph's
    - `letter`: our reading, a letter that begins the reply

    `model` chooses from a file that holds several models' predictions.
    """

    split: str = "val"
    rule: Literal["official", "extracted", "letter"] = "official"
    model: str = ""
    prompt: str = "{question}\nAnswer with the option's letter from the given choices directly."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "*/val-*.parquet"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '{idx: prediction}, {model: {idx: prediction}} or [{"idx", "prediction"}]'
    ids: ClassVar[str] = "`idx`, as `val_Counting_1`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"idx": "val_Art_Style_1", "prediction": "(A)"}]',
            "an object": '{"val_Art_Style_1": "(A)"}',
            "several models (--set model=GPT4o)": '{"GPT4o": {"val_Art_Style_1": "(A)"}}',
        }
    )
    departs: ClassVar[str] = (
        "replies are compared as the repository stores them, extracted by a language model; `rule=letter` reads raw ones"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a row of the parquet files, one folder a task; `source` is the folder above, one file, or the official
        `val_answers.json`, which holds the answers alone."""
        if Path(source).is_file() and not is_parquet(Path(source)):
            return self._answers(source)
        return [
            asked(
                text_of(row, "idx", where),
                worded(self.prompt, question=text_of(row, "prompt", where)),
                pictures_of(row, "image_", where),
                [_letter(text_of(row, "answer", where), where)],
                texts_of(row, "choices", where),
                {"task": text_of(row, "sub_task", where)},
                where,
            )
            for where, row in hub_rows(source, f"*/{self.split}-*.parquet", self.split)
        ]

    def _answers(self, source: str) -> list[Sample]:
        value = load_json(source)
        if not isinstance(value, dict):
            raise InputError(f"{source}: expected an object that maps question ids to answers")
        samples = []
        for identifier in value:
            where = f"{source}: question {identifier}"
            task = identifier.removeprefix(f"{self.split}_").rpartition("_")[0]
            if not task:
                raise InputError(f"{where}: expected an id like {self.split}_Art_Style_1")
            answer = _letter(text_of(value, identifier, where), where)
            samples.append(asked(identifier, None, answers=[answer], choices=LETTERS[:5], meta={"task": task}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Predictions by id, those of several models, or the records of a task's output file."""
        value = content.value
        if content.form == "json" and isinstance(value, dict) and value and not {"idx", "prediction"} <= value.keys():
            if all(isinstance(part, dict) and part for part in value.values()):
                return _of_model(value, self.model, content)
            if isinstance(value.get(self.split), list):
                content = Content(content.path, "json", value[self.split])
            elif all(isinstance(text, str | None) for text in value.values()):
                return result_object(Content(content.path, "json", {name: text or "" for name, text in value.items()}))
        return result_list(content, "idx", "prediction", empty=True)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The mean of the tasks' accuracies, as published, then each of them."""
        result = score_letters(samples, predictions, {"official": "bracketed", "extracted": "blink"}.get(self.rule, self.rule))
        return with_means(macro(result, [sample.meta["task"] for sample in samples], "macro accuracy"), samples, "task")


def _letter(answer: str, where: str) -> str:
    if len(answer) != 3 or answer[0] + answer[2] != "()" or answer[1] not in LETTERS:
        raise InputError(f"{where}: the answer {answer!r} is not of the form (A)")
    return answer[1]


def _of_model(value: Mapping[str, Mapping[str, object]], model: str, content: Content) -> list[Prediction]:
    chosen = model or (next(iter(value)) if len(value) == 1 else "")
    if chosen not in value:
        known = nearest(model, list(value)) if model else f" ({', '.join(value)})"
        raise InputError(f"{content.path}: holds predictions of {len(value)} models: say --set model=NAME{known}")
    found = []
    for identifier, reply in value[chosen].items():
        if not isinstance(reply, str | None):
            raise InputError(f"{content.path}: {chosen}: {identifier!r} holds {str(reply)[:60]!r}, expected text")
        found.append(Prediction(identifier, reply or ""))
    return found
