"""AVSD: the last answer of a dialogue about a film, against six references (Alamri et al., CVPR 2019; DSTC7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.data.fields.typed import as_object
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, list_of, medium, records, text_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import Sample

UNDISCLOSED = "__UNDISCLOSED__"


@dataclass(frozen=True)
class Avsd:
    """The test set has 1,710 dialogues of which the last answer is undisclosed; the evaluator's file has the references.

    `caption` tells the film's caption before the dialogue, as most systems do. `metrics` are those of `captions`.
    """

    caption: bool = True
    prompt: str = "{history}Answer this question about the video in a sentence.\nQ: {question}\nA:"
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "test_set4DSTC7-AVSD.json",
            "references": "test_set4DSTC7-AVSD_multiref.json",
            "videos": "videos",
        }
    )
    answer_form: ClassVar[str] = "a sentence"
    result_form: ClassVar[str] = '{"dialogs": [{"image_id", "dialog": [{"question", "answer"}]}]}'
    ids: ClassVar[str] = "`image_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "the challenge's dialogues": (
                '{"dialogs": [{"image_id": "7UPGT", "dialog": [{"question": "What does he do then?", '
                '"answer": "he sits down"}]}]}'
            )
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a dialogue, named by its film; references are joined by the film, or by the dialogue's place."""
        path = locate(source, self.files["annotations"])
        references = _references(str(path.with_name(self.files["references"])))
        samples = []
        for number, (where, record) in enumerate(records(path, "dialogs")):
            film, turns = text_of(record, "image_id", where), list_of(record, "dialog", where)
            if not turns:
                raise InputError(f"{where}: its dialogue has no turn")
            told = [f"Caption: {text_of(record, 'caption', where)}\n"] if self.caption else []
            told += [f"Q: {text_of(turn, 'question', where)}\nA: {text_of(turn, 'answer', where)}\n" for turn in turns[:-1]]
            question = self.prompt.replace("{question}", text_of(turns[-1], "question", where))
            answers = references.get(film) or references.get(str(number))
            if answers is None:
                raise InputError(f"{where}: {self.files['references']} has no reference for {film}")
            video = medium(path.parent / self.files["videos"], f"{film}.mp4", "video")
            samples.append(asked(film, question.replace("{history}", "".join(told)), [video], answers, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's dialogues, the last answer of each filled in."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not isinstance(value.get("dialogs"), list):
            return None
        found = []
        for index, record in enumerate(value["dialogs"]):
            where = f"{content.path}: dialogue {index + 1}"
            turns = list_of(record, "dialog", where)
            if not turns:
                raise InputError(f"{where}: its dialogue has no turn")
            found.append(Prediction(text_of(record, "image_id", where), text_of(turns[-1], "answer", where)))
        return found

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics, CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)


def _references(path: str) -> dict[str, list[str]]:
    """References by the film's name where the file names its images, else by their numbers."""
    value = load_json(path)
    names: dict[str, str] = {}
    for index, image in enumerate(list_of(value, "images", path) if "images" in as_object(value, path) else []):
        where = f"{path}: image {index + 1}"
        if "name" in as_object(image, where):
            names[str(key_of(image, "id", where))] = text_of(image, "name", where)
    found: dict[str, list[str]] = {}
    for index, record in enumerate(list_of(value, "annotations", path)):
        where = f"{path}: annotation {index + 1}"
        number = str(key_of(record, "image_id", where))
        found.setdefault(names.get(number, number), []).append(text_of(record, "caption", where))
    return found
